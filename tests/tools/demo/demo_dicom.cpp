#include "tools/demo/demo_dicom.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpls/djencode.h>

#include <stdexcept>
#include <vector>

namespace demo {
namespace {

/// 2.25 and a UUID drawn once for this study (PS3.5 B.2); series and instances are counted below
/// it.
constexpr const char* root = "2.25.176432940518873540263149812607353224961";

class Codec {
public:
    Codec()
    {
        OFLog::configure(OFLogger::WARN_LOG_LEVEL);
        DJLSEncoderRegistration::registerCodecs();
    }
    ~Codec() { DJLSEncoderRegistration::cleanup(); }
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;
};

void check(const OFCondition& condition, const std::filesystem::path& file)
{
    if (condition.bad()) {
        throw std::runtime_error(file.string() + " can't be written: " + condition.text());
    }
}

}  // namespace

void writeDicom(const inference::Image& image, const Slice& slice,
                const std::filesystem::path& file)
{
    const Codec codec;
    const std::string study = root, series = study + "." + std::to_string(slice.seriesNumber),
                      instance = series + "." + std::to_string(slice.instance);
    DcmFileFormat format;
    DcmDataset& data = *format.getDataset();
    const auto text = [&](const DcmTagKey& tag, const std::string& value) {
        check(data.putAndInsertString(tag, value.c_str()), file);
    };
    const auto number = [&](const DcmTagKey& tag, int value) {
        check(data.putAndInsertUint16(tag, Uint16(value)), file);
    };
    // PS3.3 A.8.1: what a Secondary Capture has to say, and that it is drawn (SYN)
    text(DCM_SpecificCharacterSet, "ISO_IR 100");
    text(DCM_ImageType, "DERIVED\\SECONDARY");
    text(DCM_SOPClassUID, UID_SecondaryCaptureImageStorage);
    text(DCM_SOPInstanceUID, instance);
    text(DCM_StudyDate, "20260101");
    text(DCM_StudyTime, "120000");
    text(DCM_AccessionNumber, "");
    text(DCM_Modality, slice.modality);
    text(DCM_ConversionType, "SYN");
    text(DCM_Manufacturer, "KVL Workbench");
    text(DCM_ReferringPhysicianName, "");
    text(DCM_StudyDescription, "Demonstration, drawn");
    text(DCM_SeriesDescription, slice.series);
    text(DCM_PatientName, "Demo^Synthetic");
    text(DCM_PatientID, "DEMO");
    text(DCM_PatientBirthDate, "");
    text(DCM_PatientSex, "");
    text(DCM_StudyInstanceUID, study);
    text(DCM_SeriesInstanceUID, series);
    text(DCM_StudyID, "1");
    text(DCM_SeriesNumber, std::to_string(slice.seriesNumber));
    text(DCM_InstanceNumber, std::to_string(slice.instance));
    text(DCM_PatientOrientation, "");
    text(DCM_ImageComments, "Synthetic. Not for clinical use.");
    number(DCM_SamplesPerPixel, 1);
    text(DCM_PhotometricInterpretation, "MONOCHROME2");
    number(DCM_Rows, image.height);
    number(DCM_Columns, image.width);
    number(DCM_BitsAllocated, 8);
    number(DCM_BitsStored, 8);
    number(DCM_HighBit, 7);
    number(DCM_PixelRepresentation, 0);
    text(DCM_BurnedInAnnotation, "NO");
    text(DCM_WindowCenter, "128");  // every value as it is
    text(DCM_WindowWidth, "256");
    std::vector<Uint8> grey;
    grey.reserve(std::size_t(image.width) * std::size_t(image.height));
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            grey.push_back(image.row(y)[3 * x]);
        }
    }
    check(data.putAndInsertUint8Array(DCM_PixelData, grey.data(), grey.size()), file);
    check(data.chooseRepresentation(EXS_JPEGLSLossless, nullptr), file);
    check(format.saveFile(file.c_str(), EXS_JPEGLSLossless), file);
}

}  // namespace demo
