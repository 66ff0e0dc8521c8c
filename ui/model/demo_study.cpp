#include "ui/model/demo_study.h"

#include "ui/model/error.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>

namespace ui {

bool DemoStudy::holds(const QString& path) const
{
    const QString clean = QDir::cleanPath(path);
    return std::any_of(files.begin(), files.end(), [&](const QString& file) {
        return clean == file || clean.startsWith(file + QLatin1Char('/'));
    });
}

QList<DemoQuestion> DemoStudy::questionsFor(const FrameRef& frame) const
{
    QList<DemoQuestion> found;
    const QString file = QDir::cleanPath(frame.file);
    std::copy_if(
        questions.begin(), questions.end(), std::back_inserter(found),
        [&](const DemoQuestion& one) { return one.file == file && one.frame == frame.index; });
    return found;
}

DemoStudy readDemoStudy(const QString& folder)
{
    DemoStudy study;
    if (folder.isEmpty()) {
        return study;
    }
    const QDir at(folder);
    QFile file(at.filePath(QStringLiteral("demo.json")));
    if (!file.open(QIODevice::ReadOnly)) {
        throw Error(QStringLiteral("%1 can't be read: %2; the demonstration study is not complete.")
                        .arg(file.fileName(), file.errorString()));
    }
    const QJsonObject all = QJsonDocument::fromJson(file.readAll()).object();
    const auto absolute = [&](const QString& name) {
        return QDir::cleanPath(at.absoluteFilePath(name));
    };
    for (const auto& name : all.value(QStringLiteral("open")).toArray()) {
        study.files << absolute(name.toString());
    }
    for (const auto& value : all.value(QStringLiteral("questions")).toArray()) {
        const QJsonObject one = value.toObject();
        const QJsonArray region = one.value(QStringLiteral("region")).toArray();
        study.questions << DemoQuestion{
            absolute(one.value(QStringLiteral("file")).toString()),
            one.value(QStringLiteral("frame")).toInt(),
            region.size() == 4
                ? QRect(region[0].toInt(), region[1].toInt(), region[2].toInt(), region[3].toInt())
                : QRect(),
            one.value(QStringLiteral("question")).toString()};
    }
    if (study.files.isEmpty()) {
        throw Error(
            QStringLiteral("%1 names no files to open; it is damaged or of another program.")
                .arg(file.fileName()));
    }
    return study;
}

}  // namespace ui
