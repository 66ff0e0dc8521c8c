#include "ui/model/dicom_document.h"
#include "ui/model/document.h"
#include "ui/model/encapsulated_document.h"
#include "ui/model/image_document.h"
#include "ui/model/passwords.h"
#include "ui/model/pdf_document.h"
#include "ui/model/video_document.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include <algorithm>

namespace ui {
namespace {

using Documents = std::vector<std::unique_ptr<Document>>;

constexpr int maxFilesOfFolder = 500;

Documents one(std::unique_ptr<Document> document)
{
    Documents documents;
    documents.push_back(std::move(document));
    return documents;
}

/// "slice9" before "slice10", whatever the locale.
bool byNumbers(const QString& a, const QString& b)
{
    qsizetype i = 0, j = 0;
    const auto number = [](const QString& text, qsizetype& at) {
        while (at < text.size() && text[at] == u'0') {
            ++at;
        }
        const qsizetype start = at;
        while (at < text.size() && text[at].isDigit()) {
            ++at;
        }
        return QStringView(text).mid(start, at - start);
    };
    while (i < a.size() && j < b.size()) {
        if (a[i].isDigit() && b[j].isDigit()) {
            const QStringView left = number(a, i), right = number(b, j);
            if (left.size() != right.size()) {
                return left.size() < right.size();
            }
            if (left != right) {
                return left < right;
            }
        } else if (const int order =
                       QString::compare(a.mid(i, 1), b.mid(j, 1), Qt::CaseInsensitive)) {
            return order < 0;
        } else {
            ++i;
            ++j;
        }
    }
    const qsizetype restA = a.size() - i, restB = b.size() - j;
    return restA != restB ? restA < restB : a < b;
}

std::filesystem::path toPath(const QString& path)
{
    return QFile::encodeName(path).toStdString();
}

bool isPdf(const QString&, const QByteArray& head)
{
    return head.left(1024).contains("%PDF-") && head.mid(128, 4) != "DICM";
}

bool isVideo(const QString&, const QByteArray& head)
{
    const QByteArray four = head.left(4), box = head.mid(4, 4), brand = head.mid(8, 4);
    if (box == "ftyp") {  // the same container holds still pictures
        return brand != "heic" && brand != "heix" && brand != "mif1" && brand != "avif" &&
            brand != "avis";
    }
    const bool transport =
        head.size() > 376 && head[0] == 0x47 && head[188] == 0x47 && head[376] == 0x47;
    return box == "moov" || box == "mdat" || box == "wide" || transport ||
        four == QByteArray("\x1a\x45\xdf\xa3", 4)  // Matroska, WebM
        || (four == "RIFF" && brand == "AVI ") || four == QByteArray("\0\0\1\xba", 4) ||
        four == QByteArray("\0\0\1\xb3", 4)           // MPEG
        || four == QByteArray("\x30\x26\xb2\x75", 4)  // Windows Media
        || four == "OggS" || head.startsWith("FLV\x01");
}

bool isDicom(const QString& path, const QByteArray& head)
{
    return head.mid(128, 4) == "DICM" || dicom::Dataset::recognises(toPath(path));
}

Documents openDicomFolder(const QString& folder, const dicom::Study& study,
                          const std::stop_token& stop, QStringList& refused)
{
    Documents documents;
    for (const std::string& sentence : study.refused) {
        refused << documentError(dicom::Error(sentence)).sentence();
    }
    for (const dicom::Series& series : study.series) {
        const bool visible =
            std::any_of(series.instances.begin(), series.instances.end(),
                        [](const dicom::Instance& instance) { return instance.frames > 0; });
        if (!visible) {
            continue;
        }
        try {
            documents.push_back(std::make_unique<DicomDocument>(folder, series, stop));
        } catch (const DocumentError& error) {
            if (stop.stop_requested()) {
                throw;
            }
            refused << error.sentence();
        }
    }
    return documents;
}

/// One sentence for all that a folder holds and does not open.
void tellRefused(const QString& folder, const QStringList& refused, const OpenOptions& options)
{
    if (refused.isEmpty() || !options.onRefused) {
        return;
    }
    options.onRefused(refused.size() == 1
                          ? refused.front()
                          : QStringLiteral("%1 files in %2 do not open; the first: %3")
                                .arg(refused.size())
                                .arg(folder, refused.front()));
}

dicom::Study readStudy(const QString& folder, std::stop_token stop)
{
    try {
        return dicom::readStudy(toPath(folder), {}, std::move(stop));
    } catch (const dicom::Error& error) {
        throw documentError(error);
    }
}

Documents openDicom(const QString& path, const OpenOptions& options)
{
    try {
        dicom::Dataset dataset = dicom::Dataset::read(toPath(path));
        const QFileInfo info(path);
        // DICOMDIR: Media Storage Directory, known by its Directory Record Sequence.
        const bool directory =
            dataset.text({0x0002, 0x0002}).value_or("").starts_with("1.2.840.10008.1.3.10") ||
            info.fileName().compare(u"DICOMDIR", Qt::CaseInsensitive) == 0;
        if (directory) {
            const QString folder = info.absolutePath();
            QStringList refused;
            Documents documents =
                openDicomFolder(folder, readStudy(folder, options.stop), options.stop, refused);
            if (documents.empty()) {
                throw DocumentError(
                    QStringLiteral("%1 lists DICOM files, but none with a picture lies beside it.")
                        .arg(path));
            }
            tellRefused(folder, refused, options);
            return documents;
        }
        if (auto document = openEncapsulated(path, dataset, options)) {
            return one(std::move(document));
        }
        return one(std::make_unique<DicomDocument>(path, std::move(dataset)));
    } catch (const dicom::Error& error) {
        throw documentError(error);
    }
}

/// What a folder with a model in it is called to the user; empty where there is none.
void refuseCheckpoint(const QDir& folder)
{
    const bool weights = !folder
                              .entryList({QStringLiteral("*.safetensors"),
                                          QStringLiteral("*.safetensors.index.json")},
                                         QDir::Files)
                              .isEmpty();
    if (weights && folder.exists(QStringLiteral("config.json"))) {
        throw DocumentError(
            QStringLiteral("%1 is a model, not a document; load it in the model panel.")
                .arg(folder.path()));
    }
}

Documents openFolder(const QString& path, const OpenOptions& options)
{
    const QDir folder(path);
    refuseCheckpoint(folder);
    const dicom::Study study = readStudy(path, options.stop);
    QStringList refused;
    Documents documents = openDicomFolder(path, study, options.stop, refused);
    QStringList files = folder.entryList(QDir::Files | QDir::Readable, QDir::NoSort);
    std::sort(files.begin(), files.end(), byNumbers);
    int others = 0;
    for (const QString& name : files) {
        if (options.stop.stop_requested()) {
            throw DocumentError(QStringLiteral("Opening %1 was cancelled.").arg(path));
        }
        const QString file = folder.filePath(name);
        QFile content(file);
        const QByteArray head =
            content.open(QIODevice::ReadOnly) ? content.read(4096) : QByteArray();
        const auto& kinds = documentKinds();
        const auto kind =
            std::find_if(kinds.begin(), kinds.end(), [&](const DocumentKind& candidate) {
                return candidate.open != openDicom && candidate.open != openFolder &&
                    candidate.recognises(file, head);
            });
        if (kind == kinds.end()) {
            ++others;
            continue;
        }
        if (int(documents.size()) >= maxFilesOfFolder) {
            break;
        }
        try {
            std::ranges::move(kind->open(file, options), std::back_inserter(documents));
        } catch (const DocumentError& error) {
            refused << error.sentence();
        }
    }
    if (!documents.empty()) {
        tellRefused(path, refused, options);
        return documents;
    }
    if (!refused.isEmpty()) {
        throw DocumentError(refused.size() == 1
                                ? refused.front()
                                : QStringLiteral("Nothing in %1 opens; the first of %2 files: %3")
                                      .arg(path)
                                      .arg(refused.size())
                                      .arg(refused.front()));
    }
    throw DocumentError(
        files.isEmpty()
            ? QStringLiteral("%1 has no files with pictures.").arg(path)
            : QStringLiteral(
                  "%1 has %2 files, but no picture, DICOM file, PDF or video among them.")
                  .arg(path)
                  .arg(others));
}

/// Why a file of no known kind does not open.
DocumentError unknown(const QString& path, const QByteArray& head)
{
    if (head.isEmpty()) {
        return DocumentError(
            QStringLiteral("%1 is empty (0 bytes); it was probably not copied completely.")
                .arg(path));
    }
    const bool isText = std::none_of(head.begin(), head.end(), [](char c) {
        return uchar(c) < 9 || (uchar(c) > 13 && uchar(c) < 32);
    });
    const QByteArray brand = head.mid(4, 4) == "ftyp" ? head.mid(8, 4) : QByteArray();
    if (brand == "heic" || brand == "heix" || brand == "mif1" || brand == "avif") {
        return DocumentError(
            QStringLiteral("%1 is a HEIF or AVIF picture, which this program does not read; "
                           "save it as PNG or JPEG.")
                .arg(path));
    }
    return DocumentError(
        QStringLiteral(
            "%1 is %2; this program opens PNG, JPEG, TIFF, WebP, BMP, GIF, DICOM, PDF and videos.")
            .arg(path,
                 isText ? QStringLiteral("a text file") : QStringLiteral("of an unknown kind")));
}

}  // namespace

const QList<DocumentKind>& documentKinds()
{
    static const auto patterns = [](const char* names) {
        QStringList list;
        for (const QString& name : QString::fromLatin1(names).split(u' ')) {
            list << QStringLiteral("*.") + name;
        }
        return list;
    };
    static const QList<DocumentKind> kinds{
        {QStringLiteral("DICOM"), patterns("dcm dicom ima") << QStringLiteral("DICOMDIR"), isDicom,
         openDicom},
        {QStringLiteral("Pictures"), patterns("png jpg jpeg tif tiff svs webp bmp gif"),
         [](const QString&, const QByteArray& head) { return !pictureFormat(head).isEmpty(); },
         [](const QString& path, const OpenOptions&) {
             return one(std::make_unique<ImageDocument>(path));
         }},
        {QStringLiteral("PDF"), patterns("pdf"), isPdf,
         [](const QString& path, const OpenOptions& options) {
             return one(std::make_unique<PdfDocument>(path, options.password));
         }},
        {QStringLiteral("Videos"), patterns("mp4 m4v mov webm mkv avi mpg mpeg ts wmv ogv"),
         isVideo,
         [](const QString& path, const OpenOptions& options) {
             return one(std::make_unique<VideoDocument>(path, path, QFileInfo(path).fileName(),
                                                        options.stop));
         }},
        {QStringLiteral("Folder"),
         {},
         [](const QString& path, const QByteArray&) { return QFileInfo(path).isDir(); },
         openFolder},
    };
    return kinds;
}

Documents openDocuments(const QString& path, const OpenOptions& options)
{
    const QFileInfo info(path);
    if (!info.exists()) {
        throw DocumentError(QStringLiteral("There is no file or folder %1.").arg(path));
    }
    if (info.isDir()) {
        return openFolder(path, options);
    }
    if (!info.isFile()) {
        throw DocumentError(QStringLiteral("%1 is a device or a pipe, not a file.").arg(path));
    }
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        throw DocumentError(QStringLiteral("%1 can't be read: %2.").arg(path, file.errorString()));
    }
    const QByteArray head = file.read(4096);
    file.close();
    // Magic numbers first; DICOM without its preamble is a guess and comes last.
    for (const bool guess : {false, true}) {
        for (const DocumentKind& kind : documentKinds()) {
            const bool dicomGuess = kind.open == openDicom && head.mid(128, 4) != "DICM";
            if (dicomGuess == guess && kind.open != openFolder && kind.recognises(path, head)) {
                Documents documents = kind.open(path, options);
                if (!options.password.isEmpty()) {
                    rememberPassword(path, options.password);
                }
                return documents;
            }
        }
    }
    throw unknown(path, head);
}

QString openDialogFilter()
{
    QStringList all, filters;
    for (const DocumentKind& kind : documentKinds()) {
        if (!kind.patterns.isEmpty()) {
            all << kind.patterns;
            filters << QStringLiteral("%1 (%2)").arg(kind.name, kind.patterns.join(u' '));
        }
    }
    filters.prepend(QStringLiteral("All that opens (%1)").arg(all.join(u' ')));
    filters << QStringLiteral("All files (*)");
    return filters.join(QStringLiteral(";;"));
}

}  // namespace ui
