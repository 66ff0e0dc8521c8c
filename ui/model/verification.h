#pragma once

#include "inference/verify.h"
#include "ui/model/session.h"

#include <QDateTime>
#include <QList>
#include <QString>

namespace ui {

/// What came of holding the engine against its references: of one model on one device in one
/// dtype, by one build on one machine.
struct Verification {
    QString modelHash, device, dtype;
    QString program;  // "KVL Workbench 0.1.0"
    QString build;    // see thisBuild()
    QString line;     // VerifyReport::line()
    QDateTime when;
    bool passed = false;
    bool operator==(const Verification&) const = default;
};

/// Names the program file that runs and the machine it runs on: another build, or the same
/// settings on another computer, have proved nothing yet.
QString thisBuild();

Verification makeVerification(const inference::VerifyReport& report);

/// The one of the model, device, dtype and program that gave an answer, as one line with its day;
/// empty where there is none.
QString verificationLine(const QList<Verification>& all, const Provenance& of);

}  // namespace ui
