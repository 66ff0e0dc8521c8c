#pragma once

#include "ui/model/session.h"
#include "ui/model/verification.h"

#include <QList>
#include <QString>

#include <stop_token>

namespace ui {

struct ReportOptions {
    QString title;          // empty: the session's
    bool thinking = false;  // print the reasoning too
    bool provenance = true;
    QList<Verification> verifications = {};  // of engines that may have answered
};

/// A picture of the report with its boxes and regions drawn beside, not over, what they point at.
struct ReportPicture {
    QImage image;     // null where it could not be read; then the caption says why
    QString caption;  // one or more lines
};

struct ReportFact {
    QString name, value;
};

struct ReportTurn {
    QString question, thinking, answer, note;
    QList<ReportPicture> pictures;
    Provenance provenance;
    QString verification;  // of the engine that answered, one line; empty where there is none
    QDateTime asked;
    double thinkingSeconds = 0;
};

/// Plain values: all text is unescaped, the formats escape it.
struct Report {
    QString title;
    QDateTime made;
    QList<ReportTurn> turns;
    ReportOptions options;
};

/// What one needs to trust and to repeat an answer, in words; `before` is the turn before, whose
/// equal settings are not said again.
QList<ReportFact> reportFacts(const ReportTurn& turn, const ReportTurn* before = nullptr);

/// Reads the frames again and draws on them; blocks. A frame that is gone leaves its caption with
/// the reason. Throws Error only when stopped. Needs a QGuiApplication, for the numbers on boxes.
Report makeReport(const Session& session, const ReportOptions& options = {},
                  const std::stop_token& stop = {});

struct ReportFormat {
    QString name, suffix;  // "PDF", "pdf"
    /// Whole or not at all. Throws Error. Needs a QGuiApplication, for fonts.
    void (*write)(const Report& report, const QString& file);
};

const QList<ReportFormat>& reportFormats();

/// Throws Error where no format has the file's suffix, with the formats there are, or where there
/// is no folder for it.
void checkReportFile(const QString& file);

/// By the file's suffix. Throws Error that lists the formats.
void writeReport(const Report& report, const QString& file);

}  // namespace ui
