#pragma once

#include "ui/model/session.h"

#include <QList>
#include <QString>

#include <stop_token>

namespace ui {

struct ReportOptions {
    QString title;         // empty: the session's
    bool thinking = false;  // print the reasoning too
    bool provenance = true;
};

/// A picture of the report with its boxes and regions drawn beside, not over, what they point at.
struct ReportPicture {
    QImage image;
    QString caption;
};

struct ReportTurn {
    QString question, thinking, answer, note;
    QList<ReportPicture> pictures;
    Provenance provenance;
    QDateTime asked;
};

/// Plain values: all text is unescaped, the formats escape it.
struct Report {
    QString title;
    QDateTime made;
    QList<ReportTurn> turns;
    ReportOptions options;
};

/// Reads the frames again and draws on them; blocks. A frame that is gone leaves its caption with
/// the reason. Throws Error only when stopped.
Report makeReport(const Session& session, const ReportOptions& options = {}, std::stop_token stop = {});

struct ReportFormat {
    QString name, suffix;  // "PDF", "pdf"
    /// Whole or not at all. Throws Error.
    void (*write)(const Report& report, const QString& file);
};

const QList<ReportFormat>& reportFormats();

/// By the file's suffix. Throws Error that lists the formats.
void writeReport(const Report& report, const QString& file);

}  // namespace ui
