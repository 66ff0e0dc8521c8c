#pragma once

#include "inference/memory_plan.h"

#include <QWidget>

#include <optional>

namespace ui {

/// What a model would take of the memory of its first device: taken already, weights, keys and
/// values of a long conversation, work, free.
class MemoryBar : public QWidget {
public:
    explicit MemoryBar(QWidget* parent = nullptr);

    void show(const std::optional<inference::DevicePlan>& plan);
    QString text() const { return m_text; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::optional<inference::DevicePlan> m_plan;
    QString m_text;
};

}  // namespace ui
