#pragma once

#include "dicom/frame.h"
#include "dicom/study.h"
#include "ui/model/document.h"

#include <list>

namespace ui {

/// A DICOM file, or a series as its slices in viewing order. `pixels` are the frame in the window
/// in force: what the viewer shows is what the model gets. A file without pixels has no frames but
/// its attributes.
class DicomDocument : public Document {
public:
    /// Throws DocumentError.
    DicomDocument(const QString& path, dicom::Dataset dataset);
    DicomDocument(const QString& path, const dicom::Series& series, std::stop_token stop = {});
    ~DicomDocument() override;

    QString title() const override { return m_title; }
    QString subtitle() const override { return m_subtitle; }
    QString path() const override { return m_path; }
    QString frameNoun() const override { return m_noun; }
    int frameCount() const override { return int(m_slices.size()); }
    Frame frame(int index, const FrameOptions& options = {}) override;
    QList<Property> properties(int index) override;
    QList<WindowPreset> windowPresets() const override { return m_presets; }
    int indexOf(const FrameRef& ref) const override;

private:
    struct Slice {
        std::filesystem::path file;
        int frame = 0;  // within the file
        QString sopInstance;
    };
    struct Decoded {
        int index;
        std::shared_ptr<const dicom::Frame> frame;
    };
    struct Header {
        std::filesystem::path file;
        std::shared_ptr<const dicom::Dataset> dataset;
        QStringList corner;
    };

    const Header& header(const std::filesystem::path& file);
    void keepHeader(std::shared_ptr<const dicom::Dataset> dataset);
    std::shared_ptr<const dicom::Frame> decoded(int index);
    void describe(const dicom::Dataset& first);
    const Slice& slice(int index) const;

    QString m_path, m_title, m_subtitle, m_noun;
    QString m_empty;  // why there is nothing to see, where frameCount() is 0
    std::vector<Slice> m_slices;
    QList<WindowPreset> m_presets;
    std::list<Header> m_headers;   // newest first
    std::list<Decoded> m_decoded;  // newest first, at most decodedBytes
    std::stop_token m_stop;
};

/// The same for the user of the window, with its full stop.
DocumentError documentError(const dicom::Error& error);
/// "Doe^Jane^^Dr" to "Doe, Jane", of the first representation that is filled (PS3.5 6.2.1).
QString formattedName(const QString& personName);
/// "20240131" to "2024-01-31"; other texts stay as they are.
QString formattedDate(const QString& date);
/// The windows people expect of a CT, in HU.
QList<WindowPreset> computedTomographyPresets();

}  // namespace ui
