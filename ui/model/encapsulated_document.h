#pragma once

#include "dicom/dataset.h"
#include "ui/model/document.h"

namespace ui {

/// The document a DICOM file carries whole: a PDF (PS3.3 A.45.1) or a video (PS3.5 8.2.5 and on).
/// Null where it carries none. Throws DocumentError, dicom::Error.
std::unique_ptr<Document> openEncapsulated(const QString& path, const dicom::Dataset& dataset,
                                           const OpenOptions& options);

}  // namespace ui
