#include "ui/model/memory_table.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>

#include <algorithm>
#include <exception>

namespace ui {
namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("MemoryTable", text);
}

bool isSame(const inference::MemoryPlan& a, const inference::MemoryPlan& b)
{
    return a.dtype == b.dtype && a.map.text() == b.map.text();
}

}  // namespace

MemoryPlanner memoryPlanner()
{
    return [](const inference::LoadOptions& options) { return inference::planMemory(options); };
}

MemoryTable planTable(const MemoryPlanner& planner, const inference::LoadOptions& asked,
                      const std::vector<inference::DeviceMemory>& devices)
{
    MemoryTable table;
    try {
        table.asked = planner(asked);
    } catch (const std::exception& error) {
        table.failure = QString::fromUtf8(error.what());
    }
    QStringList names;
    if (devices.size() > 1) {
        names << QStringLiteral("auto");
    }
    for (const inference::DeviceMemory& one : devices) {
        names << QString::fromStdString(one.device);
    }
    for (const QString& name : names) {
        for (const char* dtype : {"bf16", "fp32"}) {
            inference::LoadOptions options = asked;
            options.device = name.toStdString();
            options.dtype = dtype;
            try {
                const inference::MemoryPlan plan = planner(options);
                const auto known = [&](const inference::MemoryPlan& other) {
                    return isSame(plan, other);
                };
                if ((!table.failure.isEmpty() || !isSame(plan, table.asked)) &&
                    std::none_of(table.others.begin(), table.others.end(), known)) {
                    table.others << plan;
                }
            } catch (const std::exception&) {  // NOLINT: what can't be planned can't be chosen
            }
        }
    }
    return table;
}

qint64 neededBytes(const inference::DevicePlan& plan)
{
    return plan.weights + plan.work + plan.kvPerThousand +
        inference::reserveBytes(plan.memory.device);
}

QString planSentence(const inference::MemoryPlan& plan)
{
    const auto bytes = [](qint64 count) {
        return QString::fromStdString(inference::byteText(count));
    };
    QStringList needs, free;
    for (const inference::DevicePlan& one : plan.devices) {
        const QString device = QString::fromStdString(one.memory.device);
        needs << tr("%1 on %2").arg(bytes(neededBytes(one)), device);
        free << (plan.devices.size() == 1 ? bytes(one.memory.free)
                                          : tr("%1 on %2").arg(bytes(one.memory.free), device));
    }
    const QString fits = !plan.fits()
        ? tr("does not fit")
        : tr("fits, up to %1 tokens").arg(QLocale().toString(plan.contextFits));
    return tr("needs %1 in %2; %3 free: %4")
        .arg(needs.join(tr(" and ")), QString::fromStdString(plan.dtype), free.join(tr(" and ")),
             fits);
}

}  // namespace ui
