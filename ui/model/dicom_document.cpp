#include "ui/model/dicom_document.h"

#include "ui/model/picture.h"

#include <QFile>
#include <QFileInfo>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ui {
namespace {

constexpr size_t decodedBytes = size_t(256) << 20;
constexpr size_t keptHeaders = 8;

constexpr dicom::Tag patientName{0x0010, 0x0010}, patientId{0x0010, 0x0020};
constexpr dicom::Tag studyDate{0x0008, 0x0020}, studyDescription{0x0008, 0x1030};
constexpr dicom::Tag seriesDescription{0x0008, 0x103e}, modality{0x0008, 0x0060};
constexpr dicom::Tag sopClass{0x0008, 0x0016}, sopInstance{0x0008, 0x0018};
constexpr dicom::Tag rows{0x0028, 0x0010}, columns{0x0028, 0x0011};

QString fromPath(const std::filesystem::path& path)
{
    return QFile::decodeName(QByteArray::fromStdString(path.string()));
}

QString text(const dicom::Dataset& dataset, dicom::Tag tag)
{
    return QString::fromStdString(dataset.text(tag).value_or("")).simplified();
}

/// What kind of object a file without pixels is, by SOP class (PS3.4 B.5).
QString kindWithoutPixels(const QString& uid)
{
    static const std::pair<const char*, const char*> kinds[] = {
        {"1.2.840.10008.5.1.4.1.1.481.5", "a radiotherapy plan"},
        {"1.2.840.10008.5.1.4.1.1.481.3", "a set of radiotherapy structures (contours)"},
        {"1.2.840.10008.5.1.4.1.1.88.", "a structured report"},
        {"1.2.840.10008.5.1.4.1.1.9.", "a waveform (ECG, pressure, …)"},
        {"1.2.840.10008.5.1.4.1.1.11.", "a presentation state"},
        {"1.2.840.10008.5.1.4.1.1.67", "a real world value mapping"},
        {"1.2.840.10008.5.1.4.1.1.91.1", "a set of microscopy annotations"},
        {"1.2.840.10008.5.1.4.1.1.66.", "a registration or segmentation without a raster"},
        {"1.2.840.10008.1.3.10", "a media directory"},
    };
    for (const auto& [prefix, name] : kinds) {
        if (uid.startsWith(QLatin1String(prefix))) {
            return QString::fromUtf8(name);
        }
    }
    return QStringLiteral("a DICOM object");
}

QStringList cornerLines(const dicom::Dataset& dataset)
{
    QStringList lines{
        formattedName(text(dataset, patientName)),
        text(dataset, patientId),
        text(dataset, studyDescription),
        text(dataset, seriesDescription),
    };
    QStringList last{text(dataset, modality), formattedDate(text(dataset, studyDate))};
    last.removeAll(QString());
    lines << last.join(QStringLiteral(" · "));
    lines.removeAll(QString());
    return lines;
}

WindowLevel levelOf(const dicom::Window& window)
{
    if (window.table.empty()) {
        return {window.center, window.width};
    }
    // A VOI LUT: the values its table spans.
    const auto width = double(window.table.size());
    return {window.tableStart + width / 2, width};
}

/// The file's window of these numbers, with its function, or a plain one.
dicom::Window windowFor(const dicom::Frame& frame, const std::optional<WindowLevel>& wanted)
{
    if (!wanted) {
        return dicom::defaultWindow(frame);
    }
    for (const dicom::Window& window : frame.windows) {
        if (levelOf(window) == *wanted) {
            return window;
        }
    }
    dicom::Window window;
    window.center = wanted->center;
    window.width = wanted->width;
    return window;
}

size_t sizeInBytes(const dicom::Frame& frame)
{
    return frame.gray.size() * sizeof(float) + frame.rgb.size();
}

}  // namespace

DocumentError documentError(const dicom::Error& error)
{
    const QString sentence = QString::fromUtf8(error.what());
    return DocumentError(sentence.endsWith(u'.') ? sentence : sentence + u'.');
}

QString formattedName(const QString& personName)
{
    for (const QString& group : personName.split(u'=')) {
        QStringList parts = group.split(u'^');
        for (QString& part : parts) {
            part = part.trimmed();
        }
        const QString family = parts.value(0);
        QStringList given{parts.value(1), parts.value(2)};
        given.removeAll(QString());
        if (!family.isEmpty() || !given.isEmpty()) {
            return family.isEmpty() ? given.join(u' ')
                : given.isEmpty()   ? family
                                    : family + QStringLiteral(", ") + given.join(u' ');
        }
    }
    return {};
}

QString formattedDate(const QString& date)
{
    const bool plain = date.size() == 8 &&
        std::all_of(date.begin(), date.end(), [](QChar c) { return c >= u'0' && c <= u'9'; });
    return plain ? QStringLiteral("%1-%2-%3").arg(date.left(4), date.mid(4, 2), date.mid(6)) : date;
}

QList<WindowPreset> computedTomographyPresets()
{
    return {
        {QStringLiteral("Brain"), {40, 80}},        {QStringLiteral("Lung"), {-600, 1500}},
        {QStringLiteral("Mediastinum"), {50, 350}}, {QStringLiteral("Abdomen"), {40, 400}},
        {QStringLiteral("Bone"), {400, 1800}},
    };
}

DicomDocument::DicomDocument(const QString& path, dicom::Dataset dataset)
    : m_path(path)
{
    const auto first = std::make_shared<const dicom::Dataset>(std::move(dataset));
    const int frames = first->frameCount();
    const QString sop = text(*first, sopInstance);
    m_slices.reserve(size_t(frames));
    for (int i = 0; i < frames; ++i) {
        m_slices.push_back({first->file(), i, sop});
    }
    keepHeader(first);
    describe(*first);
}

DicomDocument::DicomDocument(const QString& path, const dicom::Series& series, std::stop_token stop)
    : m_path(path)
    , m_stop(std::move(stop))
{
    for (const dicom::Instance& instance : series.instances) {
        for (int i = 0; i < instance.frames; ++i) {
            m_slices.push_back({instance.file, i, QString::fromStdString(instance.sopInstanceUid)});
        }
    }
    if (series.instances.empty()) {
        throw DocumentError(QStringLiteral("A series in %1 has no files.").arg(path));
    }
    describe(
        *header(m_slices.empty() ? series.instances.front().file : m_slices.front().file).dataset);
    m_stop = {};
}

DicomDocument::~DicomDocument() = default;

void DicomDocument::describe(const dicom::Dataset& first)
{
    QString what = text(first, seriesDescription);
    if (what.isEmpty()) {
        what = text(first, studyDescription);
    }
    if (what.isEmpty()) {
        what = QFileInfo(m_path).fileName();
    }
    const QString kind = text(first, modality);
    const QString size = QStringLiteral("%1 × %2")
                             .arg(int(first.number(columns).value_or(0)))
                             .arg(int(first.number(rows).value_or(0)));
    if (m_slices.empty()) {
        m_noun = QStringLiteral("picture");
        m_title = kind.isEmpty() ? what : kind + QStringLiteral(" · ") + what;
        m_empty = kindWithoutPixels(text(first, sopClass));
        m_subtitle = QStringLiteral("DICOM · %1, no picture").arg(m_empty);
        return;
    }
    const bool oneFile = m_slices.front().file == m_slices.back().file;
    m_noun = m_slices.size() == 1 ? QStringLiteral("picture")
        : oneFile                 ? QStringLiteral("frame")
                                  : QStringLiteral("slice");
    m_title = QStringLiteral("%1 %2 · %3").arg(kind, size, what).trimmed();
    m_subtitle = QStringLiteral("DICOM · ") + size;
    if (m_slices.size() > 1) {
        m_subtitle += QStringLiteral(" · %1 %2s").arg(m_slices.size()).arg(m_noun);
    }
    if (kind == QLatin1String("CT")) {
        m_presets = computedTomographyPresets();
    }
    // Its windows are part of the pixels' description; the viewer shows this frame next anyway.
    std::shared_ptr<const dicom::Frame> frame;
    try {
        frame = decoded(0);
    } catch (const DocumentError&) {
        if (m_stop.stop_requested()) {
            throw;
        }
        return;  // says so where it would be seen; its attributes and the other slices are there
    }
    m_presets.clear();
    for (const dicom::Window& window : frame->windows) {
        const WindowLevel level = levelOf(window);
        if (level.width > 0) {
            QString name = QString::fromStdString(window.explanation).simplified();
            if (name.isEmpty()) {
                name = m_presets.isEmpty()
                    ? QStringLiteral("From the file")
                    : QStringLiteral("From the file, %1").arg(m_presets.size() + 1);
            }
            m_presets.push_back({name, level});
        }
    }
    if (frame->unit == "HU") {
        m_presets += computedTomographyPresets();
    }
}

const DicomDocument::Slice& DicomDocument::slice(int index) const
{
    if (m_slices.empty()) {
        throw DocumentError(
            QStringLiteral("%1 is %2: it has no picture, only attributes.").arg(m_path, m_empty));
    }
    if (index < 0 || index >= frameCount()) {
        throw DocumentError(QStringLiteral("%1 has no %2 %3; it has %4.")
                                .arg(m_title, m_noun)
                                .arg(index + 1)
                                .arg(frameCount()));
    }
    return m_slices[size_t(index)];
}

void DicomDocument::keepHeader(std::shared_ptr<const dicom::Dataset> dataset)
{
    Header entry{dataset->file(), dataset, cornerLines(*dataset)};
    m_headers.push_front(std::move(entry));
    if (m_headers.size() > keptHeaders) {
        m_headers.pop_back();
    }
}

const DicomDocument::Header& DicomDocument::header(const std::filesystem::path& file)
{
    const auto kept = std::find_if(m_headers.begin(), m_headers.end(),
                                   [&](const Header& one) { return one.file == file; });
    if (kept != m_headers.end()) {
        m_headers.splice(m_headers.begin(), m_headers, kept);
    } else {
        try {
            keepHeader(std::make_shared<const dicom::Dataset>(dicom::Dataset::read(file)));
        } catch (const dicom::Error& error) {
            throw documentError(error);
        }
    }
    return m_headers.front();
}

std::shared_ptr<const dicom::Frame> DicomDocument::decoded(int index)
{
    const Slice& wanted = slice(index);
    const auto kept = std::find_if(m_decoded.begin(), m_decoded.end(),
                                   [&](const Decoded& one) { return one.index == index; });
    if (kept != m_decoded.end()) {
        m_decoded.splice(m_decoded.begin(), m_decoded, kept);
        return m_decoded.front().frame;
    }
    std::shared_ptr<const dicom::Frame> frame;
    try {
        frame = std::make_shared<const dicom::Frame>(
            dicom::decodeFrame(*header(wanted.file).dataset, wanted.frame, m_stop));
    } catch (const dicom::Error& error) {
        throw documentError(error);
    }
    m_decoded.push_front({index, frame});
    size_t bytes = 0;
    for (auto one = m_decoded.begin(); one != m_decoded.end();) {
        bytes += sizeInBytes(*one->frame);
        one = bytes > decodedBytes && one != m_decoded.begin() ? m_decoded.erase(one)
                                                               : std::next(one);
    }
    return frame;
}

Frame DicomDocument::frame(int index, const FrameOptions& options)
{
    const Slice& where = slice(index);
    const auto source = decoded(index);
    Frame frame;
    frame.ref = {fromPath(where.file), where.frame, where.sopInstance};
    const bool color = !source->rgb.empty();
    std::vector<std::uint8_t> bytes;
    try {
        const dicom::Window window = color ? dicom::Window() : windowFor(*source, options.window);
        bytes = dicom::render(*source, window);
        if (!color) {
            frame.window = levelOf(window);
        }
    } catch (const dicom::Error& error) {
        throw documentError(error);
    }
    frame.pixels = newImage(m_path, QSize(source->width, source->height), QImage::Format_RGB888);
    const size_t rowBytes = size_t(source->width) * 3;
    for (int y = 0; y < source->height; ++y) {
        std::memcpy(frame.pixels.scanLine(y), &bytes[size_t(y) * rowBytes], rowBytes);
    }
    if (options.inverted) {
        frame.pixels.invertPixels();
    }
    if (source->spacing) {
        frame.spacing = PixelSpacing{source->spacing->column, source->spacing->row,
                                     QString::fromStdString(source->spacing->source)};
    }
    if (source->edges) {
        const auto letters = [](const std::string& text) { return QString::fromStdString(text); };
        frame.edges = EdgeLetters{letters(source->edges->left), letters(source->edges->top),
                                  letters(source->edges->right), letters(source->edges->bottom)};
    }
    frame.unit = QString::fromStdString(source->unit);
    if (frameCount() > 1) {
        frame.label = QStringLiteral("%1 %2 of %3").arg(m_noun).arg(index + 1).arg(frameCount());
    }
    frame.corner = header(where.file).corner;
    return frame;
}

QList<Property> DicomDocument::properties(int index)
{
    const Header& entry = m_slices.empty() ? m_headers.front() : header(slice(index).file);
    QList<Property> list;
    for (const dicom::Attribute& attribute : entry.dataset->attributes()) {
        const QString tag = QStringLiteral("(%1,%2)")
                                .arg(attribute.tag.group, 4, 16, QLatin1Char('0'))
                                .arg(attribute.tag.element, 4, 16, QLatin1Char('0'));
        const QString keyword = QString::fromStdString(attribute.keyword);
        list << Property{keyword.isEmpty() ? tag : keyword + u' ' + tag,
                         QString::fromStdString(attribute.value), attribute.depth};
    }
    return list;
}

int DicomDocument::indexOf(const FrameRef& ref) const
{
    const std::string file = QFile::encodeName(ref.file).toStdString();
    int found = -1;
    for (int i = 0; i < frameCount(); ++i) {
        const Slice& one = m_slices[size_t(i)];
        if (one.frame != ref.index) {
            continue;
        }
        if (one.file == file) {
            return i;
        }
        if (found < 0 && !ref.sopInstance.isEmpty() && one.sopInstance == ref.sopInstance) {
            found = i;  // the file was moved; its instance was not
        }
    }
    return found;
}

}  // namespace ui
