#pragma once

#include "ui/model/document.h"
#include "ui/model/picture.h"

namespace ui {

/// A picture file; its pages or animation frames are frames. `pixels` are PIL's bytes of it, and
/// `shown` is turned upright, blended on white and windowed where the file asks for that.
class ImageDocument : public Document {
public:
    /// Throws DocumentError.
    explicit ImageDocument(const QString& path);
    /// A picture without a file.
    ImageDocument(Picture picture, const QString& title);

    QString title() const override;
    QString subtitle() const override;
    QString path() const override { return m_path; }
    QString frameNoun() const override;
    int frameCount() const override;
    Frame frame(int index, const FrameOptions& options = {}) override;
    QList<Property> properties(int index) override;

private:
    const Picture& picture(int index);

    QString m_path, m_title;
    std::unique_ptr<PictureReader> m_reader;  // null for a picture without a file
    Picture m_picture;                        // the one read last
    int m_index = -1;
};

}  // namespace ui
