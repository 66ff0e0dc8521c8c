#include "ui/model/passwords.h"

#include <QFileInfo>
#include <QHash>

#include <mutex>

namespace ui {
namespace {

std::mutex mutex;

QHash<QString, QString>& passwords()
{
    static QHash<QString, QString> all;
    return all;
}

}  // namespace

void rememberPassword(const QString& path, const QString& password)
{
    const QString file = QFileInfo(path).canonicalFilePath();
    const std::lock_guard lock(mutex);
    passwords().insert(file, password);
}

QString rememberedPassword(const QString& path)
{
    const QString file = QFileInfo(path).canonicalFilePath();
    const std::lock_guard lock(mutex);
    return passwords().value(file);
}

}  // namespace ui
