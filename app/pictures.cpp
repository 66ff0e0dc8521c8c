#include "app/pictures.h"

#include "inference/stop.h"
#include "ui/model/ask.h"
#include "ui/model/document.h"
#include "ui/model/report.h"
#include "ui/model/to_inference_image.h"

#include <QFileInfo>
#include <QGuiApplication>
#include <QImage>
#include <QSaveFile>

#include <cstdio>

namespace app {

struct OpenedFrame {
    ui::Frame frame;
};

namespace {

/// Qt's own remarks are for developers: shown where KVL_LOG is set.
void onQtMessage(QtMsgType type, const QMessageLogContext&, const QString& message)
{
    if (type == QtFatalMsg || qEnvironmentVariableIsSet("KVL_LOG")) {
        std::fprintf(stderr, "%s\n", qPrintable(message));
    }
}

std::vector<std::unique_ptr<ui::Document>> openAll(const std::string& file,
                                                   const std::string& password)
{
    ui::OpenOptions options;
    options.password = QString::fromStdString(password);
    try {
        return ui::openDocuments(QString::fromStdString(file), options);
    } catch (const ui::PasswordNeeded& needed) {
        if (password.empty()) {
            throw ui::DocumentError(needed.sentence() +
                                    QStringLiteral(" --password takes it; --password - asks for "
                                                   "it without showing it."));
        }
        throw;
    }
}

std::unique_ptr<ui::Document> openOne(const std::string& file, const std::string& password)
{
    auto documents = openAll(file, password);
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
    picture.frame = std::make_shared<const OpenedFrame>(OpenedFrame{frame});
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
    const auto document = openOne(choice.file, choice.password);
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

nlohmann::ordered_json describeDocument(const std::string& path, const std::string& password)
{
    using Json = nlohmann::ordered_json;
    Json documents = Json::array();
    for (const auto& document : openAll(path, password)) {
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

void checkReport(const std::string& file)
{
    ui::checkReportFile(QString::fromStdString(file));
}

void writeReport(const std::string& file, const std::vector<Picture>& pictures,
                 const inference::Request& request, const inference::Answer& answer,
                 const inference::ModelInfo& model, const std::string& question)
{
    ui::Session session;
    session.title = ui::titleFromQuestion(QString::fromStdString(question));
    session.created = session.updated = QDateTime::currentDateTime();
    for (std::size_t i = 0; i + 1 < request.messages.size(); i += 2) {  // --history
        ui::Turn earlier;
        earlier.question = QString::fromStdString(request.messages[i].text);
        earlier.answer = QString::fromStdString(request.messages[i + 1].text);
        earlier.state = ui::TurnState::Done;
        session.turns << earlier;
    }
    ui::Turn turn;
    turn.asked = session.created;
    turn.question = QString::fromStdString(question);
    turn.provenance = ui::makeProvenance(
        model, {request.system, request.sampling, request.maxTiles, request.maxNewTokens});
    session.turns << turn;
    for (const Picture& picture : pictures) {
        ui::AttachedFrame attached{picture.frame->frame, frameOptions(picture.choice), {}, {}};
        if (const auto& region = picture.choice.region) {
            attached.region = QRect(region->x, region->y, region->width, region->height);
        }
        QString& path = attached.frame.ref.file;
        path = QFileInfo(path).absoluteFilePath();
        attached.title = QFileInfo(path).fileName();
        if (!attached.frame.label.isEmpty()) {
            attached.title += QStringLiteral(" · ") + attached.frame.label;
        }
        ui::Attachment attachment = ui::makeAttachment(attached);
        if (!picture.choice.password.empty()) {  // the file can't be read again without it
            attachment.picture = attached.frame.pixels;
        }
        session.turns.first().attachments << attachment;
    }
    ui::takeAnswer(session, int(session.turns.size()) - 1, answer);
    ui::writeReport(ui::makeReport(session, {{}, true, true}), QString::fromStdString(file));
}

}  // namespace app
