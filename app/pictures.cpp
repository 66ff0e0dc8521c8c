#include "app/pictures.h"

#include "inference/stop.h"
#include "ui/model/document.h"
#include "ui/model/report.h"
#include "ui/model/to_inference_image.h"

#include <QFileInfo>
#include <QGuiApplication>
#include <QImage>
#include <QSaveFile>

#include <cstdio>

namespace app {

namespace {

/// Qt's own remarks are for developers: shown where KVL_LOG is set.
void onQtMessage(QtMsgType type, const QMessageLogContext&, const QString& message)
{
    if (type == QtFatalMsg || qEnvironmentVariableIsSet("KVL_LOG")) {
        std::fprintf(stderr, "%s\n", qPrintable(message));
    }
}

std::unique_ptr<ui::Document> openOne(const std::string& file)
{
    auto documents = ui::openDocuments(QString::fromStdString(file));
    if (documents.size() != 1) {
        QStringList titles;
        for (const auto& document : documents) {
            titles << document->title();
        }
        throw ui::DocumentError(
            QStringLiteral("%1 holds %2 series or documents (%3); name one of its files instead")
                .arg(QString::fromStdString(file))
                .arg(documents.size())
                .arg(titles.mid(0, 5).join(QStringLiteral("; "))));
    }
    return std::move(documents.front());
}

ui::FrameOptions frameOptions(const PictureChoice& choice)
{
    ui::FrameOptions options;
    if (choice.window) {
        options.window = ui::WindowLevel{choice.window->first, choice.window->second};
    }
    options.asShown = choice.asShown;
    return options;
}

Picture takePicture(ui::Document& document, const PictureChoice& choice, int index)
{
    const QString file = QString::fromStdString(choice.file);
    const ui::Frame frame = document.frame(index, frameOptions(choice));
    if (choice.window && !frame.window) {
        throw ui::DocumentError(
            QStringLiteral("%1 is a colour picture; --window applies to grey values only")
                .arg(file));
    }
    Picture picture;
    picture.choice = choice;
    picture.choice.frame = index;
    picture.label = frame.label.toStdString();
    picture.frameWidth = frame.pixels.width();
    picture.frameHeight = frame.pixels.height();
    picture.note = frame.note.toStdString();
    QImage pixels = frame.pixels;
    if (choice.region) {
        const QRect region(choice.region->x, choice.region->y, choice.region->width,
                           choice.region->height);
        if (region.isEmpty() || !pixels.rect().contains(region)) {
            throw ui::DocumentError(
                QStringLiteral(
                    "--region %1,%2,%3,%4 does not lie within %5, which has %6 × %7 pixels")
                    .arg(region.x())
                    .arg(region.y())
                    .arg(region.width())
                    .arg(region.height())
                    .arg(file)
                    .arg(pixels.width())
                    .arg(pixels.height()));
        }
        pixels = pixels.copy(region);
    }
    picture.image = ui::toInferenceImage(pixels);
    return picture;
}

/// Throws where the document lacks the frames. A file without pictures says so itself.
void checkFrames(const ui::Document& document, const PictureChoice& choice)
{
    const int last = choice.frames ? choice.frames->last : choice.frame;
    if (document.frameCount() > 0 && last >= document.frameCount()) {
        throw ui::DocumentError(
            QStringLiteral("%1 has %2 %3(s); %4 %5 is past the last one, %6")
                .arg(QString::fromStdString(choice.file))
                .arg(document.frameCount())
                .arg(document.frameNoun())
                .arg(choice.frames ? QStringLiteral("--frames up to") : QStringLiteral("--frame"))
                .arg(last)
                .arg(document.frameCount() - 1));
    }
}

}  // namespace

std::shared_ptr<void> startPictures()
{
    static int count = 1;
    static char name[] = "kvl";
    static char* words[] = {name, nullptr};
    qputenv("QT_QPA_PLATFORM", "offscreen");
    qInstallMessageHandler(onQtMessage);
    return std::make_shared<QGuiApplication>(count, words);
}

std::vector<Picture> openPictures(const PictureChoice& choice, const std::stop_token& stop)
{
    const auto document = openOne(choice.file);
    checkFrames(*document, choice);
    const FrameRange range = choice.frames.value_or(FrameRange{choice.frame, choice.frame, 1});
    std::vector<Picture> pictures;
    for (int index = range.first; index <= range.last; index += range.step) {
        inference::throwIfStopped(stop);
        pictures.push_back(takePicture(*document, choice, index));
    }
    return pictures;
}

Picture openPicture(const PictureChoice& choice)
{
    return openPictures(choice).front();
}

void writePng(const inference::Image& image, const std::string& file)
{
    const QImage pixels(image.pixels.get(), image.width, image.height, image.stride,
                        QImage::Format_RGB888);
    QSaveFile out(QString::fromStdString(file));
    if (!out.open(QIODevice::WriteOnly) || !pixels.save(&out, "PNG") || !out.commit()) {
        throw ui::Error(
            QStringLiteral("%1 can't be written: %2").arg(out.fileName(), out.errorString()));
    }
}

nlohmann::ordered_json describeDocument(const std::string& path)
{
    using Json = nlohmann::ordered_json;
    Json documents = Json::array();
    for (const auto& document : ui::openDocuments(QString::fromStdString(path))) {
        const bool hasFrames = document->frameCount() > 0;
        const ui::Frame frame = hasFrames ? document->frame(0) : ui::Frame{};
        Json one = {{"title", document->title().toStdString()},
                    {"kind", document->subtitle().toStdString()},
                    {"frames", document->frameCount()},
                    {"frame_noun", document->frameNoun().toStdString()},
                    {"width", frame.pixels.width()},
                    {"height", frame.pixels.height()}};
        if (frame.window) {
            one["window"] = {{"center", frame.window->center}, {"width", frame.window->width}};
        }
        if (!frame.unit.isEmpty()) {
            one["unit"] = frame.unit.toStdString();
        }
        if (frame.spacing) {
            one["spacing_mm"] = {{"x", frame.spacing->x},
                                 {"y", frame.spacing->y},
                                 {"source", frame.spacing->source.toStdString()}};
        }
        if (!frame.note.isEmpty()) {
            one["note"] = frame.note.toStdString();
        }
        Json properties = Json::object();
        for (const ui::Property& property : document->properties(0)) {
            if (property.depth == 0 && !property.name.isEmpty()) {
                properties[property.name.toStdString()] = property.value.toStdString();
            }
        }
        one["properties"] = properties;
        documents.push_back(one);
    }
    return documents.size() == 1 ? documents[0] : Json{{"documents", documents}};
}

void writeReport(const std::string& file, const std::vector<Picture>& pictures,
                 const inference::Request& request, const inference::Answer& answer,
                 const inference::ModelInfo& model, const std::string& question)
{
    ui::Session session;
    session.title = QString::fromStdString(question).left(80);
    session.created = session.updated = QDateTime::currentDateTime();
    ui::Turn turn;
    turn.asked = session.created;
    turn.question = QString::fromStdString(question);
    for (const Picture& picture : pictures) {
        ui::Attachment attachment;
        const QString path =
            QFileInfo(QString::fromStdString(picture.choice.file)).absoluteFilePath();
        attachment.frame = {path, picture.choice.frame, {}};
        attachment.options = frameOptions(picture.choice);
        attachment.frameSize = {picture.frameWidth, picture.frameHeight};
        if (const auto& region = picture.choice.region) {
            attachment.region = QRect(region->x, region->y, region->width, region->height);
        }
        attachment.title = QFileInfo(path).fileName();
        if (picture.choice.window) {
            attachment.window = QStringLiteral("C %1 W %2")
                                    .arg(picture.choice.window->first)
                                    .arg(picture.choice.window->second);
        }
        turn.attachments << attachment;
    }
    turn.thinking = QString::fromStdString(answer.thinking);
    turn.answer = QString::fromStdString(answer.answer);
    for (const inference::Box& box : answer.boxes) {
        if (box.image < turn.attachments.size()) {
            const QPointF origin = turn.attachments[box.image].given().topLeft();
            turn.boxes << ui::AnswerBox{
                QString::fromStdString(box.label), box.image,
                QRectF(box.x, box.y, box.width, box.height).translated(origin)};
        }
    }
    turn.state = answer.stop == inference::StopReason::Cancelled ? ui::TurnState::Stopped
        : answer.stop == inference::StopReason::TokenLimit       ? ui::TurnState::TokenLimit
                                                                 : ui::TurnState::Done;
    ui::Provenance& provenance = turn.provenance;
    provenance.modelName = QString::fromStdString(model.name);
    provenance.modelHash = QString::fromStdString(model.modelHash);
    provenance.device = QString::fromStdString(model.device);
    provenance.dtype = QString::fromStdString(model.dtype);
    provenance.program = QStringLiteral("KVL Workbench " KVL_VERSION);
    provenance.maxTiles = request.maxTiles;
    provenance.maxNewTokens = request.maxNewTokens;
    provenance.topK = request.sampling.topK;
    provenance.topP = request.sampling.topP;
    provenance.temperature = request.sampling.temperature;
    provenance.minP = request.sampling.minP;
    provenance.repetitionPenalty = request.sampling.repetitionPenalty;
    provenance.seed = request.sampling.seed;
    provenance.promptIds = QList<int>(answer.promptIds.begin(), answer.promptIds.end());
    provenance.newIds = QList<int>(answer.newIds.begin(), answer.newIds.end());
    provenance.visionSeconds = answer.seconds.vision;
    provenance.prefillSeconds = answer.seconds.prefill;
    provenance.decodeSeconds = answer.seconds.decode;
    provenance.firstTokenSeconds = answer.seconds.firstToken;
    session.turns << turn;
    ui::writeReport(ui::makeReport(session, {{}, true, true}), QString::fromStdString(file));
}

}  // namespace app
