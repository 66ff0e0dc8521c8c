#pragma once

#include "ui/model/document.h"

#include <QMutex>
#include <QThread>

#include <atomic>
#include <memory>

namespace test {

/// What a GeneratedDocument was asked, seen from the test's thread.
struct DocumentLog {
    std::atomic<int> frames = 0, thumbnails = 0, lastThumbnail = -1;
    std::atomic<bool> held = false;  // frames wait while it is set
};

/// A document whose frames are computed: pixel (x, y) of frame i is grey (x + y + 10 i) mod 256,
/// inverted where asked; `failing` throws.
class GeneratedDocument : public ui::Document {
public:
    QString name = QStringLiteral("generated"), file = QStringLiteral("/generated");
    QString noun = QStringLiteral("slice");
    int count = 1, failing = -1;
    QSize size{64, 48};
    bool colour = false;
    std::shared_ptr<DocumentLog> log = std::make_shared<DocumentLog>();

    QString title() const override { return name; }
    QString subtitle() const override { return QStringLiteral("%1 frames").arg(count); }
    QString path() const override { return file; }
    QString frameNoun() const override { return noun; }
    int frameCount() const override { return count; }
    QList<ui::WindowPreset> windowPresets() const override
    {
        return {{QStringLiteral("Lung"), {-600, 1500}}, {QStringLiteral("Bone"), {400, 1800}}};
    }

    ui::Frame frame(int index, const ui::FrameOptions& options = {}) override
    {
        ++log->frames;
        while (log->held) {
            QThread::msleep(1);
        }
        if (index == failing) {
            throw ui::DocumentError(
                QStringLiteral("frame %1 of %2 is cut off").arg(index).arg(name));
        }
        ui::Frame frame;
        frame.ref = {file, index, {}};
        frame.pixels = QImage(size, QImage::Format_RGB888);
        for (int y = 0; y < size.height(); ++y) {
            uchar* row = frame.pixels.scanLine(y);
            for (int x = 0; x < size.width(); ++x) {
                const int grey = (x + y + 10 * index) & 255;
                row[3 * x] = row[3 * x + 1] = row[3 * x + 2] =
                    uchar(options.inverted ? 255 - grey : grey);
            }
        }
        frame.label = QStringLiteral("slice %1 of %2").arg(index + 1).arg(count);
        if (!colour) {
            frame.window = options.window.value_or(ui::WindowLevel{40, 400});
            frame.unit = QStringLiteral("HU");
        }
        return frame;
    }

    QImage thumbnail(int index, int side) override
    {
        ++log->thumbnails;
        log->lastThumbnail = index;
        QImage image(side, side / 2, QImage::Format_RGB32);
        image.fill(Qt::darkGreen);
        return image;
    }

    QList<ui::Property> properties(int) override { return {{"File", "x", 0}, {"Rows", "48", 1}}; }
    int indexOf(const ui::FrameRef& ref) const override
    {
        return ref.file == file ? ref.index : -1;
    }
};

}  // namespace test
