#pragma once

#include <QFrame>
#include <QList>

#include <functional>

class QHBoxLayout;
class QLabel;
class QLineEdit;
class QVBoxLayout;

namespace ui {

/// A sentence above the picture that stays until it is closed or its button is used; never a box in
/// the way.
class Banner : public QFrame {
    Q_OBJECT
public:
    enum class Kind { Info, Warning, Error };
    Banner(Kind kind, const QString& sentence, QWidget* parent = nullptr);

    /// The banner goes when its button was used.
    void addButton(const QString& text, const std::function<void()>& run);
    /// A field for a password with a button beside it.
    void addPassword(const QString& button, const std::function<void(const QString&)>& run);
    const QString& sentence() const { return m_sentence; }

Q_SIGNALS:
    void closed();

private:
    QString m_sentence;
    QHBoxLayout* m_row;
    QLineEdit* m_field = nullptr;
};

/// The banners over the picture, the latest three at once: the others come back as those are
/// closed. An equal sentence is not said twice.
class BannerArea : public QWidget {
    Q_OBJECT
public:
    explicit BannerArea(QWidget* parent = nullptr);
    Banner* show(Banner::Kind kind, const QString& sentence);
    QStringList sentences() const;  // of all, oldest first
    void clear();

private:
    void drop(Banner* banner);
    void arrange();
    QVBoxLayout* m_column;
    QWidget* m_rest;  // how many more there are
    QLabel* m_count;
    QList<Banner*> m_banners;
};

}  // namespace ui
