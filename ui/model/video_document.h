#pragma once

#include "ui/model/document.h"

#include <list>

namespace ui {

/// A video by frame, upright as its file says, without sound.
class VideoDocument : public Document {
public:
    /// Throws DocumentError. `file` is what is decoded, `path` what the user opened.
    VideoDocument(const QString& file, const QString& path, const QString& title,
                  std::stop_token stop = {});
    ~VideoDocument() override;

    QString title() const override { return m_title; }
    QString subtitle() const override;
    QString path() const override { return m_path; }
    QString frameNoun() const override { return QStringLiteral("frame"); }
    int frameCount() const override { return m_count; }
    Frame frame(int index, const FrameOptions& options = {}) override;
    QList<Property> properties(int index) override;

    double framesPerSecond() const { return m_fps; }

    /// Kept as long as the document: a private copy that `file` lies in.
    void keep(std::shared_ptr<void> copy) { m_copy = std::move(copy); }

private:
    struct Capture;
    QImage decode(int index);
    bool grabUpTo(int index);
    int countFrames(std::stop_token stop);

    std::shared_ptr<void> m_copy;
    QString m_file, m_path, m_title, m_codec;
    std::unique_ptr<Capture> m_capture;
    int m_next = 0;  // the frame the decoder gives next
    int m_count = 0;
    double m_fps = 0;
    QSize m_size;
    struct Kept {
        int index;
        QImage image;
    };
    std::list<Kept> m_kept;  // newest first
};

}  // namespace ui
