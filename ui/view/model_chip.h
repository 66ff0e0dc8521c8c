#pragma once

#include "ui/model/engine_thread.h"

#include <QToolButton>

namespace ui {

/// The model's state in the toolbar: a coloured dot and its name; a click opens the model panel.
class ModelChip : public QToolButton {
    Q_OBJECT
public:
    explicit ModelChip(EngineThread& engine, QWidget* parent = nullptr);

protected:
    void changeEvent(QEvent* event) override;

private:
    void showState();
    EngineThread& m_engine;
    qint64 m_done = 0, m_total = 0;
};

/// "1.2 GB", base 10.
QString byteText(qint64 bytes);
/// "300 M", "1.2 B".
QString countText(qint64 count);

}  // namespace ui
