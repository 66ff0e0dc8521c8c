#include "ui/model/verification.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QFileInfo>
#include <QSysInfo>

#include <algorithm>

namespace ui {

QString thisBuild()
{
    const QFileInfo file(QCoreApplication::applicationFilePath());
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(QByteArray::number(file.size()) + ' ' +
                 QByteArray::number(file.lastModified().toMSecsSinceEpoch()) + ' ' +
                 QSysInfo::machineUniqueId() + ' ' + QSysInfo::machineHostName().toUtf8());
    return QString::fromLatin1(hash.result().toHex().left(16));
}

Verification makeVerification(const inference::VerifyReport& report)
{
    Verification made;
    made.modelHash = QString::fromStdString(report.model.modelHash);
    made.device = QString::fromStdString(report.model.device);
    made.dtype = QString::fromStdString(report.model.dtype);
    made.program = QString::fromStdString(report.program);
    made.build = thisBuild();
    made.line = QString::fromStdString(report.line());
    made.when = QDateTime::currentDateTime();
    made.passed = report.passed();
    return made;
}

QString verificationLine(const QList<Verification>& all, const Provenance& of)
{
    const auto found = std::find_if(all.begin(), all.end(), [&](const Verification& one) {
        return one.modelHash == of.modelHash && one.device == of.device && one.dtype == of.dtype &&
            one.program == of.program;
    });
    return found == all.end()
        ? QString()
        : QStringLiteral("%1 (on %2)").arg(found->line, found->when.toString(Qt::ISODate).left(10));
}

}  // namespace ui
