#include "ui/model/video_document.h"

#include "ui/model/picture.h"

#include <QFile>
#include <QFileInfo>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/videoio.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>

namespace ui {
namespace {

constexpr int maxFrames = 1'000'000;
constexpr qsizetype keptBytes = qsizetype(96) << 20;
constexpr int forwardReach = 60;  // frames decoded in passing before a seek is worth it

QString timeText(double seconds)
{
    const int tenths = int(std::floor(seconds * 10 + 1e-6));
    const int s = tenths / 10;
    const QString tail =
        QStringLiteral("%1.%2").arg(s % 60, 2, 10, QLatin1Char('0')).arg(tenths % 10);
    return s >= 3600 ? QStringLiteral("%1:%2:%3")
                           .arg(s / 3600)
                           .arg(s / 60 % 60, 2, 10, QLatin1Char('0'))
                           .arg(tail)
                     : QStringLiteral("%1:%2").arg(s / 60).arg(tail);
}

}  // namespace

struct VideoDocument::Capture {
    cv::VideoCapture video;

    bool open(const QString& file)
    {
        return video.open(QFile::encodeName(file).toStdString(), cv::CAP_FFMPEG);
    }
};

VideoDocument::VideoDocument(const QString& file, const QString& path, const QString& title,
                             std::stop_token stop)
    : m_file(file)
    , m_path(path)
    , m_title(title)
    , m_capture(std::make_unique<Capture>())
{
    static std::once_flag quiet;
    std::call_once(quiet, [] {
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        if (!qEnvironmentVariableIsSet("OPENCV_FFMPEG_LOGLEVEL")) {
            qputenv("OPENCV_FFMPEG_LOGLEVEL", "-8");
        }
    });
    bool opened = false;
    try {
        opened = m_capture->open(file);
    } catch (const cv::Exception&) {
    }
    if (!opened) {
        throw DocumentError(
            QStringLiteral("%1 looks like a video, but no decoder here reads it; the file may be "
                           "damaged or cut short.")
                .arg(path));
    }
    cv::VideoCapture& video = m_capture->video;
    m_size =
        QSize(int(video.get(cv::CAP_PROP_FRAME_WIDTH)), int(video.get(cv::CAP_PROP_FRAME_HEIGHT)));
    checkPictureSize(path, m_size);
    m_fps = video.get(cv::CAP_PROP_FPS);
    if (!(m_fps > 0) || m_fps > 1000) {
        m_fps = 0;
    }
    const int code = int(video.get(cv::CAP_PROP_FOURCC));
    for (int i = 0; i < 4; ++i) {
        const QChar c = QLatin1Char(char(code >> 8 * i & 255));
        m_codec += c.isPrint() ? c : QLatin1Char(' ');
    }
    m_codec = m_codec.trimmed();
    m_count = countFrames(stop);
    if (m_count < 1) {
        throw DocumentError(
            QStringLiteral("%1 is a video without a frame that decodes.").arg(path));
    }
}

VideoDocument::~VideoDocument() = default;

int VideoDocument::countFrames(std::stop_token stop)
{
    // The container's count is often an estimate; it is believed where its last frame decodes.
    const double announced = m_capture->video.get(cv::CAP_PROP_FRAME_COUNT);
    if (announced >= 1 && announced <= maxFrames) {
        const int count = int(announced);
        try {
            m_count = count;
            decode(count - 1);
            return count;
        } catch (const DocumentError&) {
        }
    }
    m_capture->open(m_file);
    m_next = 0;
    int count = 0;
    while (count < maxFrames && m_capture->video.grab()) {
        ++count;
        if (stop.stop_requested()) {
            throw DocumentError(QStringLiteral("Opening %1 was cancelled.").arg(m_path));
        }
    }
    m_capture->open(m_file);
    m_next = 0;
    return count;
}

QString VideoDocument::subtitle() const
{
    QString text = QStringLiteral("Video · %1 × %2 · %3 frames")
                       .arg(m_size.width())
                       .arg(m_size.height())
                       .arg(m_count);
    if (m_fps > 0) {
        text += QStringLiteral(" · %1").arg(timeText(m_count / m_fps));
    }
    return text;
}

bool VideoDocument::grabUpTo(int index)
{
    for (; m_next < index; ++m_next) {
        if (!m_capture->video.grab()) {
            return false;
        }
    }
    return true;
}

QImage VideoDocument::decode(int index)
{
    const auto kept = std::find_if(m_kept.begin(), m_kept.end(),
                                   [&](const Kept& one) { return one.index == index; });
    if (kept != m_kept.end()) {
        m_kept.splice(m_kept.begin(), m_kept, kept);
        return m_kept.front().image;
    }
    cv::Mat bgr;
    try {
        cv::VideoCapture& video = m_capture->video;
        if (index < m_next || index > m_next + forwardReach) {
            video.set(cv::CAP_PROP_POS_FRAMES, index);
            m_next = int(std::lround(video.get(cv::CAP_PROP_POS_FRAMES)));
            if (m_next > index || m_next < index - 1000) {  // the seek went astray: from the start
                m_capture->open(m_file);
                m_next = 0;
            }
        }
        const bool there = grabUpTo(index) && video.read(bgr);
        if (!there) {
            m_capture->open(m_file);
            m_next = 0;
        } else {
            ++m_next;
        }
    } catch (const cv::Exception&) {
        bgr.release();
    }
    if (bgr.empty() || bgr.type() != CV_8UC3) {
        throw DocumentError(
            QStringLiteral("Frame %1 of %2 does not decode; the video is damaged or "
                           "cut short there.")
                .arg(index + 1)
                .arg(m_path));
    }
    QImage image = newImage(m_path, QSize(bgr.cols, bgr.rows), QImage::Format_RGB888);
    for (int y = 0; y < bgr.rows; ++y) {
        const uchar* in = bgr.ptr<uchar>(y);
        uchar* out = image.scanLine(y);
        for (int x = 0; x < bgr.cols; ++x, in += 3, out += 3) {
            out[0] = in[2];
            out[1] = in[1];
            out[2] = in[0];
        }
    }
    m_kept.push_front({index, image});
    qsizetype bytes = 0;
    for (auto one = m_kept.begin(); one != m_kept.end();) {
        bytes += one->image.sizeInBytes();
        one = bytes > keptBytes && one != m_kept.begin() ? m_kept.erase(one) : std::next(one);
    }
    return image;
}

Frame VideoDocument::frame(int index, const FrameOptions& options)
{
    if (index < 0 || index >= m_count) {
        throw DocumentError(QStringLiteral("%1 has no frame %2; it has %3.")
                                .arg(m_title)
                                .arg(index + 1)
                                .arg(m_count));
    }
    Frame frame;
    frame.ref = {m_path, index, {}};
    frame.pixels = decode(index);
    frame.label = m_fps > 0 ? timeText(index / m_fps)
                            : QStringLiteral("frame %1 of %2").arg(index + 1).arg(m_count);
    if (options.inverted) {
        QImage shown = frame.pixels.copy();
        shown.invertPixels();
        if (options.asShown) {
            frame.pixels = shown;
        } else {
            frame.shown = shown;
            frame.note = QStringLiteral(
                "The model gets the frame as recorded, black and white not swapped.");
        }
    }
    return frame;
}

QList<Property> VideoDocument::properties(int index)
{
    const QFileInfo info(m_path);
    return {
        {QStringLiteral("File"), info.fileName()},
        {QStringLiteral("Folder"), info.absolutePath()},
        {QStringLiteral("Pixels"),
         QStringLiteral("%1 × %2").arg(m_size.width()).arg(m_size.height())},
        {QStringLiteral("Frames"), QString::number(m_count)},
        {QStringLiteral("Frames a second"),
         m_fps > 0 ? QString::number(m_fps) : QStringLiteral("not given")},
        {QStringLiteral("Codec"), m_codec},
        {QStringLiteral("Frame"), QString::number(index + 1)},
    };
}

}  // namespace ui
