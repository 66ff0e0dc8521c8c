#pragma once

#include "ui/model/document.h"

class QBuffer;
class QPdfDocument;

namespace ui {

/// Pages of a PDF on white, without annotations. The long side is 2,000 pixels, but no page is
/// drawn at more than 300 dpi: the model gets exactly this picture, so the rule stays as it is.
class PdfDocument : public Document {
public:
    /// Throws DocumentError, PasswordNeeded.
    explicit PdfDocument(const QString& path, const QString& password = {});
    /// A PDF held in another file: `path` and `title` are that file's.
    PdfDocument(const QByteArray& content, const QString& path, const QString& title,
                const QString& password = {});
    ~PdfDocument() override;

    /// Pixels of a page of this size in points (1/72 inch).
    static QSize pixelSize(QSizeF points);

    QString title() const override { return m_title; }
    QString subtitle() const override;
    QString path() const override { return m_path; }
    QString frameNoun() const override { return QStringLiteral("page"); }
    int frameCount() const override { return m_pages; }
    Frame frame(int index, const FrameOptions& options = {}) override;
    QImage thumbnail(int index, int size) override;
    QList<Property> properties(int index) override;

private:
    void load(const QByteArray& content, const QString& password);
    QImage render(int index, QSize size);

    QString m_path, m_title;
    std::unique_ptr<QBuffer> m_content;  // pages are read from it when they are drawn
    std::unique_ptr<QPdfDocument> m_pdf;
    int m_pages = 0;
    QString m_pageSize;
};

}  // namespace ui
