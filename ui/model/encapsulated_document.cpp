#include "ui/model/encapsulated_document.h"

#include "dicom/encapsulated.h"
#include "ui/model/pdf_document.h"
#include "ui/model/video_document.h"

#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>

namespace ui {

std::unique_ptr<Document> openEncapsulated(const QString& path, const dicom::Dataset& dataset,
                                           const OpenOptions& options)
{
    const auto carried = dicom::describeEncapsulated(dataset);
    if (!carried) {
        return nullptr;
    }
    const QString mime = QString::fromStdString(carried->mimeType);
    QString title = QString::fromStdString(carried->title).simplified();
    if (title.isEmpty()) {
        title = QFileInfo(path).fileName();
    }
    if (mime == u"application/pdf") {
        const auto whole = dicom::readEncapsulated(dataset);
        const QByteArray bytes(reinterpret_cast<const char*>(whole->bytes.data()),
                               qsizetype(whole->bytes.size()));
        return std::make_unique<PdfDocument>(bytes, path, title, options.password);
    }
    if (mime.startsWith(u"video/")) {
        // The decoder reads files only. The folder is the user's alone and goes with the document.
        const auto folder = std::make_shared<QTemporaryDir>();
        if (!folder->isValid()) {
            throw DocumentError(
                QStringLiteral(
                    "%1 holds a video, which needs a temporary copy that can't be written: %2.")
                    .arg(path, folder->errorString()));
        }
        const QString file =
            folder->filePath(QStringLiteral("video") + QString::fromStdString(carried->suffix));
        dicom::writeEncapsulated(dataset, QFile::encodeName(file).toStdString(), options.stop);
        auto video = std::make_unique<VideoDocument>(file, path, title, options.stop);
        video->keep(folder);
        return video;
    }
    throw DocumentError(
        QStringLiteral("%1 carries a file of type %2, which this program does not show.")
            .arg(path, mime));
}

}  // namespace ui
