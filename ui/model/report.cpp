#include "ui/model/report.h"

#include "inference/engine.h"
#include "ui/model/annotate.h"
#include "ui/model/ask.h"
#include "ui/model/error.h"

#include <QDir>
#include <QLocale>

#include <algorithm>

namespace ui {
namespace {

// A picture is printed in at most 170 × 115 mm; this is 200 dots an inch.
constexpr int mostWidth = 1340, mostHeight = 906;
constexpr double pixelRatio = 200.0 / 96;
constexpr double pixelRatioOfMany = 1.5 * pixelRatio;  // two in a row are printed half as large
constexpr double mostEnlarged = 8;

QString number(qint64 value)
{
    return QLocale(QLocale::English).toString(value);
}

QString decimal(double value)
{
    return QString::number(value, 'g', 4);
}

QString seconds(double value)
{
    return QString::number(value, 'f', value < 10 ? 2 : 1) + QStringLiteral(" s");
}

QString rectangle(const QRectF& rect)
{
    const auto whole = [](double value) { return QString::number(qRound(value)); };
    return QStringLiteral("x %1, y %2, %3 × %4 px")
        .arg(whole(rect.x()), whole(rect.y()), whole(rect.width()), whole(rect.height()));
}

/// What the picture is; which of the answer's boxes are on it; what the model was given of it, and
/// from where.
QString caption(const Attachment& picture, int index, const QList<AnswerBox>& boxes)
{
    QStringList first{picture.title.isEmpty() ? QDir::toNativeSeparators(picture.frame.file)
                                              : picture.title};
    if (!picture.window.isEmpty()) {
        first << picture.window;
    }
    if (picture.options.inverted) {
        first << QStringLiteral("inverted");
    }
    QStringList lines{first.join(QStringLiteral(" · "))};
    for (int i = 0; i < boxes.size(); ++i) {
        if (boxes[i].attachment != index) {
            continue;
        }
        const QString label = boxes[i].label.simplified();
        lines << annotationMark(i) + QLatin1Char(' ') +
                (label.isEmpty() ? QString() : label + QStringLiteral(": ")) +
                rectangle(boxes[i].rect);
    }
    QStringList given;
    given << (picture.region.isNull()
                  ? QStringLiteral("Given whole, %1 × %2 px")
                        .arg(picture.frameSize.width())
                        .arg(picture.frameSize.height())
                  : QStringLiteral("Given: the dashed region, ") + rectangle(picture.region) +
                      QStringLiteral(" of %1 × %2")
                          .arg(picture.frameSize.width())
                          .arg(picture.frameSize.height()));
    if (picture.tiles > 0) {
        given << QStringLiteral("%1 × %2 tiles%3")
                     .arg(picture.gridColumns)
                     .arg(picture.gridRows)
                     .arg(picture.tiles > picture.gridColumns * picture.gridRows
                              ? QStringLiteral(" + thumbnail")
                              : QString())
              << QStringLiteral("%1 tokens").arg(number(picture.tokens));
    }
    lines << given.join(QStringLiteral(" · "));
    if (!picture.frame.file.isEmpty()) {
        QString from = QDir::toNativeSeparators(picture.frame.file) +
            QStringLiteral(", frame %1").arg(picture.frame.index + 1);
        if (!picture.frame.sopInstance.isEmpty()) {
            from += QStringLiteral(", SOP instance ") + picture.frame.sopInstance;
        }
        lines << from;
    }
    return lines.join(QLatin1Char('\n'));
}

ReportPicture makePicture(FrameReader& reader, const Attachment& attachment, int index,
                          const QList<AnswerBox>& boxes, double ratio)
{
    ReportPicture picture;
    picture.caption = caption(attachment, index, boxes);
    try {
        const QImage frame = reader.read(attachment);
        const double scale = std::min(
            {double(mostWidth) / frame.width(), double(mostHeight) / frame.height(), mostEnlarged});
        picture.image = drawAnnotations(frame, boxes, index, attachment.region, scale, ratio);
    } catch (const std::exception& error) {
        picture.caption =
            QStringLiteral("Picture missing: %1\n").arg(QString::fromUtf8(error.what())) +
            picture.caption;
    }
    return picture;
}

QString note(const Turn& turn)
{
    QStringList notes;
    switch (turn.state) {
    case TurnState::Done:
        break;
    case TurnState::Running:
    case TurnState::Stopped:
        notes << QStringLiteral("Stopped before the end.");
        break;
    case TurnState::TokenLimit:
        notes << QStringLiteral("Cut at the limit of %1 new tokens.")
                     .arg(number(turn.provenance.maxNewTokens));
        break;
    case TurnState::Failed:
        notes << QStringLiteral("No answer: ") + turn.error;
        break;
    }
    if (turn.provenance.demonstration) {
        notes << QString::fromLatin1(inference::demonstrationMark) + QLatin1Char('.');
    }
    return notes.join(QLatin1Char(' '));
}

QString sampling(const Provenance& from)
{
    QString text = QStringLiteral("greedy");
    if (from.temperature > 0) {
        text = QStringLiteral("temperature %1, top-k %2, top-p %3, seed %4")
                   .arg(decimal(from.temperature))
                   .arg(from.topK)
                   .arg(decimal(from.topP))
                   .arg(from.seed);
        if (from.minP > 0) {
            text += QStringLiteral(", min-p %1").arg(decimal(from.minP));
        }
    }
    if (from.repetitionPenalty != 1) {
        text += QStringLiteral(", repetition penalty %1").arg(decimal(from.repetitionPenalty));
    }
    return text;
}

QList<ReportFact> settingFacts(const Provenance& from)
{
    if (from.program.isEmpty()) {
        return {{QStringLiteral("Origin"), QStringLiteral("given as history, not computed here")}};
    }
    QString system = from.systemPreset;
    if (system == QLatin1String("own")) {
        system += QStringLiteral(": ") + from.systemText;
    }
    return {
        {QStringLiteral("Model"), from.modelName},
        {QStringLiteral("Model hash"), from.modelHash},
        {QStringLiteral("Adapter hash"), from.adapterHash},
        {QStringLiteral("Computed on"),
         QStringList{from.device, from.dtype}.join(QStringLiteral(", "))},
        {QStringLiteral("Program"), from.program},
        {QStringLiteral("System message"), system},
        {QStringLiteral("Sampling"), sampling(from)},
        {QStringLiteral("Limits"),
         QStringLiteral("%1 tiles a picture, %2 new tokens")
             .arg(from.maxTiles)
             .arg(number(from.maxNewTokens))},
    };
}

bool isEmpty(const ReportFact& fact)
{
    return fact.value.isEmpty() || fact.value == QLatin1String(", ");
}

}  // namespace

QList<ReportFact> reportFacts(const ReportTurn& turn, const ReportTurn* before)
{
    const Provenance& from = turn.provenance;
    QList<ReportFact> facts;
    const QList<ReportFact> settings = settingFacts(from);
    const QList<ReportFact> earlier =
        before ? settingFacts(before->provenance) : QList<ReportFact>();
    const bool same =
        std::equal(settings.begin(), settings.end(), earlier.begin(), earlier.end(),
                   [](const ReportFact& a, const ReportFact& b) { return a.value == b.value; });
    if (same && !from.program.isEmpty()) {
        facts << ReportFact{QStringLiteral("Model, settings"),
                            QStringLiteral("as for the question before")};
    } else {
        std::copy_if(settings.begin(), settings.end(), std::back_inserter(facts),
                     [](const ReportFact& fact) { return !isEmpty(fact); });
    }
    if (!turn.verification.isEmpty() && (!before || before->verification != turn.verification)) {
        facts << ReportFact{QStringLiteral("Engine"), turn.verification};
    }
    if (!from.promptIds.isEmpty()) {
        QString tokens = QStringLiteral("%1 in the prompt, %2 new")
                             .arg(number(from.promptIds.size()), number(from.newIds.size()));
        if (from.cachedTokens > 0) {
            tokens += QStringLiteral("; %1 of the prompt kept from before")
                          .arg(number(from.cachedTokens));
        }
        facts << ReportFact{QStringLiteral("Tokens"), tokens};
        facts << ReportFact{
            QStringLiteral("Time"),
            QStringLiteral("%1 to the first token (pictures %2, prompt %3), answer %4")
                .arg(seconds(from.firstTokenSeconds), seconds(from.visionSeconds),
                     seconds(from.prefillSeconds), seconds(from.decodeSeconds))};
    }
    if (turn.asked.isValid()) {
        facts << ReportFact{
            QStringLiteral("Asked"),
            turn.asked.toOffsetFromUtc(turn.asked.offsetFromUtc()).toString(Qt::ISODate)};
    }
    return facts;
}

Report makeReport(const Session& session, const ReportOptions& options, const std::stop_token& stop)
{
    Report report;
    report.title = options.title.trimmed().isEmpty() ? session.title : options.title.trimmed();
    report.made = QDateTime::currentDateTime();
    report.options = options;
    const QList<Attachment> attachments = session.attachments();
    FrameReader reader(stop);
    int first = 0;  // of the turn's own attachments
    for (const Turn& turn : session.turns) {
        ReportTurn one;
        one.question = turn.question;
        one.answer = turn.answer;
        one.thinking = options.thinking ? turn.thinking : QString();
        one.thinkingSeconds = turn.thinkingSeconds;
        one.note = note(turn);
        one.provenance = turn.provenance;
        one.verification = verificationLine(options.verifications, turn.provenance);
        one.asked = turn.asked;
        const int end = first + int(turn.attachments.size());
        QList<int> shown;  // its own pictures, and earlier ones that the answer points at
        for (int i = 0; i < attachments.size(); ++i) {
            const bool pointedAt =
                std::any_of(turn.boxes.begin(), turn.boxes.end(),
                            [i](const AnswerBox& box) { return box.attachment == i; });
            if ((i >= first && i < end) || pointedAt) {
                shown << i;
            }
        }
        for (const int i : shown) {
            one.pictures << makePicture(reader, attachments[i], i, turn.boxes,
                                        shown.size() > 1 ? pixelRatioOfMany : pixelRatio);
            if (stop.stop_requested()) {
                throw Error(QStringLiteral("The report was cancelled."));
            }
        }
        first = end;
        report.turns << one;
    }
    return report;
}

}  // namespace ui
