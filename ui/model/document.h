#pragma once

#include "ui/model/error.h"

#include <QImage>
#include <QList>
#include <QString>
#include <QStringList>
#include <QTransform>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

/// What the program opens: a picture, a PDF, a video, a DICOM file or series. Values and blocking
/// calls; frame_loader.h takes them off the GUI thread.
namespace ui {

/// VOI window in the frame's units.
struct WindowLevel {
    double center = 0, width = 1;
    bool operator==(const WindowLevel&) const = default;
};

struct WindowPreset {
    QString name;
    WindowLevel window;
};

/// mm between pixel centres, along a row (x) and down a column (y), and where that comes from.
struct PixelSpacing {
    double x = 0, y = 0;
    QString source;
};

/// Where in the patient the edges of the pixels lie: letters of R L A P H F, two where oblique.
struct EdgeLetters {
    QString left, top, right, bottom;
    bool operator==(const EdgeLetters&) const = default;
};

/// Enough to find a frame again without the viewer.
struct FrameRef {
    QString file;         // the file that holds the frame (a slice's own file in a series)
    int index = 0;        // frame, page or slice within that file, from 0
    QString sopInstance;  // DICOM only
    bool operator==(const FrameRef&) const = default;
};

struct FrameOptions {
    std::optional<WindowLevel> window;  // none: the file's own
    bool inverted = false;              // swap black and white
    /// Give the model the picture as the viewer shows it (upright, blended, windowed 16-bit grey)
    /// instead of what the reference preprocessing makes of the file (model specification 5.2).
    bool asShown = false;
    bool operator==(const FrameOptions&) const = default;
};

struct Property {
    QString name, value;
    int depth = 0;
};

/// A decoded, windowed frame.
struct Frame {
    FrameRef ref;
    QImage pixels;                      // Format_RGB888: exactly what the model is given
    QImage shown;                       // what the viewer draws, where it differs; else null
    QTransform toShown;                 // pixels' coordinates to shown's
    QString note;                       // how they differ, one sentence; empty where they do not
    std::optional<WindowLevel> window;  // in force; none for colour
    std::optional<PixelSpacing> spacing;
    std::optional<EdgeLetters> edges;
    QString unit;        // "HU"
    QString label;       // "slice 12 of 40", "page 3", "0:04.2"
    QStringList corner;  // further lines for the corner text: patient, series, …

    const QImage& picture() const { return shown.isNull() ? pixels : shown; }
};

/// One thread at a time, but indexOf() from any; every other call may block. Throws DocumentError.
class Document {
public:
    virtual ~Document() = default;
    virtual QString title() const = 0;      // "CT 128 × 128 · Chest", "polyp-01.png"
    virtual QString subtitle() const = 0;   // kind and size, "PNG · 640 × 480"
    virtual QString path() const = 0;       // as opened
    virtual QString frameNoun() const = 0;  // "slice", "frame", "page", "picture"
    virtual int frameCount() const = 0;     // 0: nothing to see, only properties(0)
    virtual Frame frame(int index, const FrameOptions& options = {}) = 0;
    /// A small picture for lists, at most size × size; the default scales frame(index).
    virtual QImage thumbnail(int index, int size);
    virtual QList<Property> properties(int index) = 0;
    virtual QList<WindowPreset> windowPresets() const { return {}; }
    /// Which of our frames a reference names, or -1. Reads only what never changes.
    virtual int indexOf(const FrameRef& ref) const;
};

struct OpenOptions {
    QString password;
    std::stop_token stop;
    /// Gets one sentence where a folder holds files that do not open beside others that do.
    std::function<void(const QString&)> onRefused = {};
};

struct DocumentKind {
    QString name;          // "PNG, JPEG, TIFF, …"
    QStringList patterns;  // for the file dialog: "*.png"
    /// By content: `head` holds the file's first 4,096 bytes; a folder has none.
    bool (*recognises)(const QString& path, const QByteArray& head);
    /// One document or several: a folder of DICOM files gives one a series.
    std::vector<std::unique_ptr<Document>> (*open)(const QString& path, const OpenOptions& options);
};

const QList<DocumentKind>& documentKinds();

/// Opens a file or folder by content. Throws DocumentError that says why not, PasswordNeeded.
std::vector<std::unique_ptr<Document>> openDocuments(const QString& path,
                                                     const OpenOptions& options = {});

/// A picture that came by paste or drop and is no file yet.
std::unique_ptr<Document> documentFromImage(const QImage& image, const QString& title);

/// The filters of the open dialog, "All that opens (*.dcm …)" first.
QString openDialogFilter();

}  // namespace ui
