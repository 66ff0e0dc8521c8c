#include "ui/model/ask.h"

#include "ui/model/passwords.h"
#include "ui/model/to_inference_image.h"

#include <QFileInfo>
#include <QLocale>

#include <map>

namespace ui {
namespace {

constexpr int thumbnailSide = 96;

QImage makeThumbnail(const QImage& frame, const QRect& given)
{
    if (given.width() <= thumbnailSide && given.height() <= thumbnailSide) {
        return frame.copy(given).convertToFormat(QImage::Format_RGB888);
    }
    // A view, not a copy: a picture of a hundred megapixels is 300 MB. RGB888, as in
    // givenPicture(). Only scaled() may read it: copy() reads whole padded lines, and the last one
    // of a region ends in front of its padding.
    QImage picture(frame.constScanLine(given.y()) + qsizetype(given.x()) * 3, given.width(),
                   given.height(), frame.bytesPerLine(), frame.format());
    // From a large picture in two steps: smooth scaling of twelve megapixels takes longer than the
    // window may wait.
    if (const int rough = thumbnailSide * 8; picture.width() > rough || picture.height() > rough) {
        picture = picture.scaled(rough, rough, Qt::KeepAspectRatio, Qt::FastTransformation);
    }
    picture =
        picture.scaled(thumbnailSide, thumbnailSide, Qt::KeepAspectRatio, Qt::SmoothTransformation);
    return picture.convertToFormat(QImage::Format_RGB888);
}

QString windowText(const Frame& frame)
{
    if (!frame.window) {
        return {};
    }
    const auto number = [](double value) { return QString::number(value, 'g', 6); };
    return QStringLiteral("C %1 W %2")
        .arg(number(frame.window->center), number(frame.window->width));
}

const QString imageMark = QStringLiteral("<image>");

/// The question with a mark for each of its pictures; `first` is the number of the first one.
QString withMarks(QString question, int first, int count)
{
    if (question.count(imageMark) == count) {
        if (count > 0) {
            return question;
        }
    } else {
        question.replace(imageMark, QStringLiteral("< image>"));
    }
    if (count == 1 && first == 1) {
        return imageMark + QLatin1Char('\n') + question;
    }
    QString marks;
    for (int i = 0; i < count; ++i) {
        marks += QStringLiteral("Image-%1: %2\n").arg(first + i).arg(imageMark);
    }
    return marks + question;
}

QString presetName(inference::SystemPrompt::Preset preset)
{
    switch (preset) {
    case inference::SystemPrompt::Preset::Default:
        return QStringLiteral("default");
    case inference::SystemPrompt::Preset::None:
        return QStringLiteral("none");
    case inference::SystemPrompt::Preset::Thinking:
        return QStringLiteral("thinking");
    case inference::SystemPrompt::Preset::Own:
        return QStringLiteral("own");
    }
    return {};
}

/// Which picture a box means where the answer names none: the first one of the latest question that
/// brought any. The engine, which knows no turns, says the first of the conversation.
int pictureInTalk(const Session& session, int row)
{
    int before = int(session.attachments().size());
    for (int i = int(session.turns.size()) - 1; i >= 0; --i) {
        before -= int(session.turns[i].attachments.size());
        if (i <= row && !session.turns[i].attachments.isEmpty()) {
            return before;
        }
    }
    return 0;
}

QList<AnswerBox> mapBoxes(const inference::Answer& answer, const QList<Attachment>& attachments,
                          int inTalk)
{
    const bool namesPictures = answer.text.find("Image-") != std::string::npos;
    QList<AnswerBox> mapped;
    for (const inference::Box& box : answer.boxes) {
        if (box.image < 0 || box.image >= attachments.size()) {
            continue;
        }
        QRectF rect(box.x, box.y, box.width, box.height);
        int picture = box.image;
        if (!namesPictures && picture != inTalk) {
            const QRectF from = attachments[picture].given();
            picture = inTalk;
            const QRectF to = attachments[picture].given();
            rect = QTransform::fromScale(to.width() / from.width(), to.height() / from.height())
                       .mapRect(rect);
        }
        const QRectF given = attachments[picture].given();
        rect = rect.translated(given.topLeft()).intersected(given);
        if (!rect.isEmpty()) {
            mapped << AnswerBox{QString::fromStdString(box.label), picture, rect};
        }
    }
    return mapped;
}

QList<int> toList(const std::vector<inference::TokenId>& ids)
{
    return QList<int>(ids.begin(), ids.end());
}

}  // namespace

QString programName()
{
    return QStringLiteral("KVL Workbench " KVL_VERSION);
}

Attachment nameAttachment(const AttachedFrame& attached)
{
    const Frame& frame = attached.frame;
    Attachment one;
    one.frame = frame.ref;
    one.options = attached.options;
    one.frameSize = frame.pixels.size();
    const QRect region = attached.region.intersected(frame.pixels.rect());
    if (!region.isEmpty() && region != frame.pixels.rect()) {
        one.region = region;
    }
    one.title = attached.title;
    one.window = windowText(frame);
    if (frame.ref.file.isEmpty()) {
        one.picture = frame.pixels;
    }
    return one;
}

Attachment makeAttachment(const AttachedFrame& attached)
{
    Attachment one = nameAttachment(attached);
    if (!one.given().isEmpty()) {
        one.thumbnail = makeThumbnail(attached.frame.pixels, one.given());
    }
    return one;
}

bool samePicture(const Attachment& a, const Attachment& b)
{
    return a.frame == b.frame && a.options == b.options && a.given() == b.given() &&
        a.frameSize == b.frameSize && a.picture == b.picture;
}

inference::Image givenPicture(const QImage& frame, const Attachment& attachment)
{
    const QRect given = attachment.given();
    inference::Image image = toInferenceImage(frame);
    const auto* corner = image.row(given.y()) + std::ptrdiff_t(given.x()) * 3;
    image.pixels = std::shared_ptr<const std::uint8_t>(image.pixels, corner);
    image.width = given.width();
    image.height = given.height();
    return image;
}

struct FrameReader::Private {
    std::stop_token stop;
    std::map<QString, std::vector<std::unique_ptr<Document>>> documents;  // by file
};

FrameReader::FrameReader(std::stop_token stop)
    : d(std::make_unique<Private>())
{
    d->stop = std::move(stop);
}

FrameReader::~FrameReader() = default;

QImage FrameReader::read(const Attachment& attachment)
{
    if (!attachment.picture.isNull()) {
        return attachment.picture;
    }
    const QString& file = attachment.frame.file;
    if (file.isEmpty()) {
        throw DocumentError(QStringLiteral("The picture %1 was never in a file and is gone.")
                                .arg(attachment.title));
    }
    if (!QFileInfo::exists(file)) {
        throw DocumentError(
            QStringLiteral("%1 is no longer there; it was moved or deleted since.").arg(file));
    }
    auto found = d->documents.find(file);
    if (found == d->documents.end()) {
        OpenOptions options;
        options.password = rememberedPassword(file);
        options.stop = d->stop;
        found = d->documents.emplace(file, openDocuments(file, options)).first;
    }
    for (const std::unique_ptr<Document>& document : found->second) {
        const int index = document->indexOf(attachment.frame);
        if (index < 0) {
            continue;
        }
        QImage pixels = document->frame(index, attachment.options).pixels;
        if (pixels.size() != attachment.frameSize) {
            throw DocumentError(
                QStringLiteral("%1 has changed: the frame is %2 × %3 pixels now and was %4 × %5.")
                    .arg(file)
                    .arg(pixels.width())
                    .arg(pixels.height())
                    .arg(attachment.frameSize.width())
                    .arg(attachment.frameSize.height()));
        }
        return pixels;
    }
    throw DocumentError(QStringLiteral("%1 no longer holds frame %2; it was changed since.")
                            .arg(file)
                            .arg(attachment.frame.index + 1));
}

inference::Request makeRequest(const Session& session,
                               const std::vector<inference::Image>& pictures,
                               const AskOptions& options)
{
    inference::Request request;
    request.system = options.system;
    request.sampling = options.sampling;
    request.maxTiles = options.maxTiles;
    request.maxNewTokens = options.maxNewTokens;

    std::size_t given = 0, seen = 0;  // pictures in messages so far; in turns so far
    for (int i = 0; i < session.turns.size(); ++i) {
        const Turn& turn = session.turns[i];
        const bool isQuestion = i == session.turns.size() - 1;
        seen += std::size_t(turn.attachments.size());
        if (!isQuestion && (turn.state == TurnState::Failed || turn.answer.isEmpty())) {
            continue;
        }
        const QString text = withMarks(turn.question, int(given) + 1, int(seen - given));
        inference::Message user{inference::Role::User, text.toStdString(), {}};
        user.images.assign(pictures.begin() + std::ptrdiff_t(given),
                           pictures.begin() + std::ptrdiff_t(seen));
        given = seen;
        request.messages.push_back(std::move(user));
        if (!isQuestion) {
            const QString& answer = turn.text.isEmpty() ? turn.answer : turn.text;
            request.messages.push_back({inference::Role::Assistant, answer.toStdString(), {}});
        }
    }
    return request;
}

Provenance makeProvenance(const inference::ModelInfo& model, const AskOptions& options)
{
    Provenance from;
    from.modelName = QString::fromStdString(model.name);
    from.adapterHash = QString::fromStdString(model.adapterHash);
    if (!model.adapter.empty()) {
        from.modelName += QStringLiteral(" + adapter ") +
            QFileInfo(QString::fromStdString(model.adapter)).fileName();
    }
    from.demonstration = model.demonstration;
    from.modelHash = QString::fromStdString(model.modelHash);
    from.device = QString::fromStdString(model.device);
    from.dtype = QString::fromStdString(model.dtype);
    from.program = programName();
    from.systemPreset = presetName(options.system.preset);
    from.systemText = QString::fromStdString(options.system.text);
    from.maxTiles = options.maxTiles;
    from.maxNewTokens = options.maxNewTokens;
    from.topK = options.sampling.topK;
    from.topP = options.sampling.topP;
    from.temperature = options.sampling.temperature;
    from.minP = options.sampling.minP;
    from.repetitionPenalty = options.sampling.repetitionPenalty;
    from.seed = options.sampling.seed;
    return from;
}

void takeAnswer(Session& session, int row, const inference::Answer& answer)
{
    const QList<Attachment> attachments = session.attachments();
    const int inTalk = pictureInTalk(session, row);
    Turn& turn = session.turns[row];
    switch (answer.stop) {
    case inference::StopReason::EndOfTurn:
    case inference::StopReason::EndOfText:
    case inference::StopReason::StopString:
        turn.state = TurnState::Done;
        break;
    case inference::StopReason::TokenLimit:
        turn.state = TurnState::TokenLimit;
        break;
    case inference::StopReason::Cancelled:
        turn.state = TurnState::Stopped;
        break;
    }
    if (turn.state != TurnState::Stopped || !answer.thinking.empty() || !answer.answer.empty()) {
        turn.thinking = QString::fromStdString(answer.thinking);
        turn.answer = QString::fromStdString(answer.answer);
        turn.text = QString::fromStdString(answer.text);
    }
    turn.boxes = mapBoxes(answer, attachments, inTalk);
    std::size_t at = 0;
    for (int i = 0; i <= row; ++i) {
        for (Attachment& one : session.turns[i].attachments) {
            // Those of turns without an answer went with this one.
            if (at < answer.images.size() && (i == row || one.tiles == 0)) {
                const inference::ImageUse& use = answer.images[at];
                one.gridColumns = use.grid.columns;
                one.gridRows = use.grid.rows;
                one.tiles = use.tiles;
                one.tokens = use.tokens;
            }
            ++at;
        }
    }
    Provenance& from = turn.provenance;
    from.promptIds = toList(answer.promptIds);
    from.newIds = toList(answer.newIds);
    from.cachedTokens = answer.cachedTokens;
    from.visionSeconds = answer.seconds.vision;
    from.prefillSeconds = answer.seconds.prefill;
    from.decodeSeconds = answer.seconds.decode;
    from.firstTokenSeconds = answer.seconds.firstToken;
}

QString titleFromQuestion(const QString& question)
{
    constexpr int longest = 60;
    QString line = question.trimmed().section(QLatin1Char('\n'), 0, 0).simplified();
    if (line.size() <= longest) {
        return line;
    }
    const qsizetype space = line.lastIndexOf(QLatin1Char(' '), longest - 1);
    qsizetype end = space > longest / 2 ? space : longest - 1;
    if (line[end - 1].isHighSurrogate()) {
        --end;
    }
    return line.left(end) + QStringLiteral("…");
}

}  // namespace ui
