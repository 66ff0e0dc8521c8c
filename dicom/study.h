#pragma once

#include "dicom/dataset.h"

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace dicom {

struct Instance {
    std::filesystem::path file;
    std::string sopInstanceUid, sopClassUid;
    int frames = 0;  // 0: nothing to show
    int instanceNumber = 0;
};

/// The instances of one Series Instance UID, in viewing order: along the slice normal where
/// positions are given, else by Instance Number, else by file name.
struct Series {
    std::string studyUid, seriesUid;
    std::string patientName, patientId, studyDate, studyDescription;
    std::string modality, seriesDescription;
    int seriesNumber = 0;
    std::vector<Instance> instances;
};

struct Study {
    std::vector<Series> series;  // by study, then series number
    std::vector<std::string>
        refused;     // a sentence for each file that looked like DICOM but did not open
    int others = 0;  // files that are not DICOM
};

/// Reads a folder, its subfolders and any DICOMDIR in it. `onFile` gets the files read so far.
/// Symbolic links out of the folder are not followed. Throws Error where the folder can't be read.
Study readStudy(const std::filesystem::path& folder, const std::function<void(int)>& onFile = {},
                std::stop_token stop = {});

}  // namespace dicom
