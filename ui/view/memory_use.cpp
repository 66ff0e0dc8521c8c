#include "ui/view/memory_use.h"

#include <QByteArray>
#include <QFile>

#include <unistd.h>

namespace ui {

MemoryUse memoryUse()
{
    MemoryUse use;
    QFile info(QStringLiteral("/proc/meminfo"));
    if (info.open(QIODevice::ReadOnly)) {
        const QList<QByteArray> lines = info.readAll().split('\n');
        for (const QByteArray& line : lines) {
            const auto kilobytes = [&] {
                return line.simplified().split(' ').value(1).toLongLong() * 1024;
            };
            if (line.startsWith("MemTotal:")) {
                use.total = kilobytes();
            } else if (line.startsWith("MemAvailable:")) {
                use.available = kilobytes();
            }
        }
    }
    QFile own(QStringLiteral("/proc/self/statm"));
    if (own.open(QIODevice::ReadOnly)) {
        use.own = own.readAll().split(' ').value(1).toLongLong() * sysconf(_SC_PAGESIZE);
    }
    return use;
}

}  // namespace ui
