#pragma once

#include "ui/model/document.h"
#include "ui/model/mailbox.h"

#include <QObject>
#include <QSize>

namespace ui {

/// An opened document on the GUI thread's side. Decoding runs on the pool, one job a document;
/// of several requests the latest wins. Values that never change are copied when it opens.
class OpenDocument : public QObject {
    Q_OBJECT
public:
    OpenDocument(std::unique_ptr<Document> document, QObject* parent = nullptr);
    ~OpenDocument() override;

    const QString& title() const { return m_title; }
    const QString& subtitle() const { return m_subtitle; }
    const QString& path() const { return m_path; }
    const QString& frameNoun() const { return m_frameNoun; }
    int frameCount() const { return m_frameCount; }
    const QList<WindowPreset>& windowPresets() const { return m_windowPresets; }
    int indexOf(const FrameRef& ref) const;

    /// Answered by frameReady or failed with the same index.
    void requestFrame(int index, const FrameOptions& options = {});
    void requestThumbnail(int index, int size);
    void requestProperties(int index);

Q_SIGNALS:
    void frameReady(int index, const ui::FrameOptions& options, const ui::Frame& frame);
    void thumbnailReady(int index, const QImage& image);
    void propertiesReady(int index, const QList<ui::Property>& properties);
    void failed(int index, const QString& sentence);

private:
    struct Shared;
    std::shared_ptr<Shared> m_shared;
    Mailbox m_results{this};
    QString m_title, m_subtitle, m_path, m_frameNoun;
    int m_frameCount = 0;
    QList<WindowPreset> m_windowPresets;
};

/// Opens files and folders on the pool, in order.
class DocumentOpener : public QObject {
    Q_OBJECT
public:
    explicit DocumentOpener(QObject* parent = nullptr);
    ~DocumentOpener() override;

    void open(const QStringList& paths);
    void open(const QString& path, const QString& password);
    void cancel();

Q_SIGNALS:
    /// The receiver takes the document over with setParent().
    void opened(ui::OpenDocument* document);
    void failed(const QString& path, const QString& sentence);
    void passwordNeeded(const QString& path, const QString& sentence);
    void busyChanged(bool busy, const QString& what);

private:
    struct Shared;
    std::shared_ptr<Shared> m_shared;
    Mailbox m_results{this};
};

}  // namespace ui
