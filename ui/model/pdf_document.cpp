#include "ui/model/pdf_document.h"

#include "ui/model/picture.h"

#include <QBuffer>
#include <QDateTime>
#include <QFileInfo>
#include <QPdfDocument>
#include <QPdfDocumentRenderOptions>

#include <algorithm>
#include <cmath>

namespace ui {
namespace {

constexpr int longSide = 2000;             // pixels
constexpr double maxScale = 300.0 / 72.0;  // pixels a point

/// Text from the file on one line, without control characters.
QString clean(const QString& text)
{
    QString line = text.simplified();
    line.removeIf([](QChar c) { return !c.isPrint(); });
    return line.left(200);
}

}  // namespace

PdfDocument::PdfDocument(const QString& path, const QString& password)
    : m_path(path)
{
    load(readWholeFile(path), password);
    m_title = clean(m_pdf->metaData(QPdfDocument::MetaDataField::Title).toString());
    if (m_title.isEmpty()) {
        m_title = QFileInfo(path).fileName();
    }
}

PdfDocument::PdfDocument(const QByteArray& content, const QString& path, const QString& title,
                         const QString& password)
    : m_path(path)
    , m_title(title)
{
    load(content, password);
}

PdfDocument::~PdfDocument() = default;

void PdfDocument::load(const QByteArray& content, const QString& password)
{
    m_pdf = std::make_unique<QPdfDocument>();
    if (!password.isEmpty()) {
        m_pdf->setPassword(password);
    }
    m_content = std::make_unique<QBuffer>();
    m_content->setData(content);
    m_content->open(QIODevice::ReadOnly);
    m_pdf->load(m_content.get());
    const auto error = m_pdf->error();
    const bool ready = m_pdf->status() == QPdfDocument::Status::Ready;
    if (error == QPdfDocument::Error::IncorrectPassword) {
        throw PasswordNeeded(
            password.isEmpty()
                ? QStringLiteral("%1 is encrypted and needs its password.").arg(m_path)
                : QStringLiteral("This password does not open %1.").arg(m_path));
    }
    if (error == QPdfDocument::Error::UnsupportedSecurityScheme) {
        throw DocumentError(
            QStringLiteral(
                "%1 is encrypted in a way this program does not know (neither RC4 nor AES).")
                .arg(m_path));
    }
    if (!ready) {
        throw DocumentError(
            QStringLiteral("%1 is not a readable PDF: it starts like one, but its page table is "
                           "missing or damaged; the file may be cut short.")
                .arg(m_path));
    }
    m_pages = m_pdf->pageCount();
    if (m_pages < 1) {
        throw DocumentError(QStringLiteral("%1 is a PDF without pages.").arg(m_path));
    }
    const QSizeF points = m_pdf->pagePointSize(0);
    m_pageSize = QStringLiteral("%1 × %2 mm")
                     .arg(std::lround(points.width() * 25.4 / 72))
                     .arg(std::lround(points.height() * 25.4 / 72));
}

QSize PdfDocument::pixelSize(QSizeF points)
{
    if (!(points.width() > 0) || !(points.height() > 0)) {
        return {1, 1};
    }
    const double scale = std::min(longSide / std::max(points.width(), points.height()), maxScale);
    return {std::max(1, int(std::lround(points.width() * scale))),
            std::max(1, int(std::lround(points.height() * scale)))};
}

QString PdfDocument::subtitle() const
{
    return m_pages == 1 ? QStringLiteral("PDF · 1 page · %1").arg(m_pageSize)
                        : QStringLiteral("PDF · %1 pages · %2").arg(m_pages).arg(m_pageSize);
}

QImage PdfDocument::render(int index, QSize size)
{
    if (index < 0 || index >= m_pages) {
        throw DocumentError(QStringLiteral("%1 has no page %2; it has %3.")
                                .arg(m_title)
                                .arg(index + 1)
                                .arg(m_pages));
    }
    const QImage page = m_pdf->render(index, size).convertToFormat(QImage::Format_ARGB32);
    if (page.isNull()) {
        throw DocumentError(
            QStringLiteral("Page %1 of %2 can't be drawn; the file is damaged there.")
                .arg(index + 1)
                .arg(m_path));
    }
    // The page comes on a transparent ground. Whole numbers, so that every machine gets the same.
    QImage white = newImage(m_path, page.size(), QImage::Format_RGB888);
    for (int y = 0; y < page.height(); ++y) {
        const auto* in = reinterpret_cast<const QRgb*>(page.constScanLine(y));
        uchar* out = white.scanLine(y);
        for (int x = 0; x < page.width(); ++x, ++in) {
            const int alpha = qAlpha(*in), ground = 255 * (255 - alpha) + 127;
            *out++ = uchar((qRed(*in) * alpha + ground) / 255);
            *out++ = uchar((qGreen(*in) * alpha + ground) / 255);
            *out++ = uchar((qBlue(*in) * alpha + ground) / 255);
        }
    }
    return white;
}

Frame PdfDocument::frame(int index, const FrameOptions& options)
{
    Frame frame;
    frame.ref = {m_path, index, {}};
    frame.pixels = render(index, pixelSize(m_pdf->pagePointSize(index)));
    const QString label = clean(m_pdf->pageLabel(index));
    const QString number = QString::number(index + 1);
    frame.label = QStringLiteral("page %1 of %2").arg(number).arg(m_pages);
    if (!label.isEmpty() && label != number) {
        frame.label += QStringLiteral(" (%1)").arg(label);
    }
    if (options.inverted) {
        QImage shown = frame.pixels.copy();
        shown.invertPixels();
        if (options.asShown) {
            frame.pixels = shown;
        } else {
            frame.shown = shown;
            frame.note = QStringLiteral(
                "The model gets the page as it is printed, black and white not swapped.");
        }
    }
    return frame;
}

QImage PdfDocument::thumbnail(int index, int size)
{
    const QSizeF points = index >= 0 && index < m_pages ? m_pdf->pagePointSize(index) : QSizeF();
    const QSize fitting =
        pixelSize(points).scaled(size, size, Qt::KeepAspectRatio).expandedTo({1, 1});
    return render(index, fitting);
}

QList<Property> PdfDocument::properties(int index)
{
    QList<Property> list;
    const QFileInfo info(m_path);
    list << Property{QStringLiteral("File"), info.fileName()}
         << Property{QStringLiteral("Folder"), info.absolutePath()}
         << Property{QStringLiteral("Pages"), QString::number(m_pages)};
    const std::pair<const char*, QPdfDocument::MetaDataField> fields[] = {
        {"Title", QPdfDocument::MetaDataField::Title},
        {"Author", QPdfDocument::MetaDataField::Author},
        {"Subject", QPdfDocument::MetaDataField::Subject},
        {"Keywords", QPdfDocument::MetaDataField::Keywords},
        {"Creator", QPdfDocument::MetaDataField::Creator},
        {"Producer", QPdfDocument::MetaDataField::Producer},
    };
    for (const auto& [name, field] : fields) {
        const QString value = clean(m_pdf->metaData(field).toString());
        if (!value.isEmpty()) {
            list << Property{QString::fromLatin1(name), value};
        }
    }
    const QDateTime created =
        m_pdf->metaData(QPdfDocument::MetaDataField::CreationDate).toDateTime();
    if (created.isValid()) {
        list << Property{QStringLiteral("Created"), created.toString(Qt::ISODate)};
    }
    if (index >= 0 && index < m_pages) {
        const QSizeF points = m_pdf->pagePointSize(index);
        const QSize pixels = pixelSize(points);
        list << Property{QStringLiteral("Page size"),
                         QStringLiteral("%1 × %2 pt").arg(points.width()).arg(points.height())}
             << Property{
                    QStringLiteral("Drawn at"),
                    QStringLiteral("%1 × %2 pixels, %3 dpi")
                        .arg(pixels.width())
                        .arg(pixels.height())
                        .arg(std::lround(72 * pixels.width() / std::max(points.width(), 1e-6)))};
    }
    return list;
}

}  // namespace ui
