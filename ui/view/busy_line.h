#pragma once

#include <QTimer>
#include <QWidget>

namespace ui {

/// A thin line that moves while something is being made; it does not move where the desktop asks
/// for no motion.
class BusyLine : public QWidget {
    Q_OBJECT
public:
    explicit BusyLine(QWidget* parent = nullptr);
    QSize sizeHint() const override { return {100, 2}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    QTimer m_timer;
    double m_place = 0;  // 0 … 1
};

}  // namespace ui
