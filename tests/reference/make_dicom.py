"""Golden values for the DICOM reader: tests/data/dicom_golden.json.

Run:  python tests/reference/make_dicom.py ../shared/data tests/data/dicom_golden.json
Needs pydicom 3.0, numpy, pillow, pylibjpeg (with -libjpeg and -openjpeg), pyjpegls.

pydicom decodes; everything after that is written here from the text of the standard, in numpy,
and shares no code with the C++ reader:
  stored   SHA-256 of the stored samples, colour by pixel, as int32 (float64 for float pixel data)
  gray     after the modality transform, at sampled places
  render   SHA-256 of the grey levels 0..255 after the default window (PS3.3 C.11.2.1)
  rgb      SHA-256 of the RGB bytes of colour frames
  edges    letters at left, top, right, bottom from the direction cosines (PS3.3 C.7.6.2.1.1: +x to
           the patient's left, +y to the back, +z to the head), a second where its cosine is above
           0.1; else Patient Orientation (C.7.6.1.1.1)
Lossy streams are compared at sampled places only, within `tolerance` stored steps:
  JPEG (8 and 12 bit)  the inverse DCT may differ by one step between decoders (ISO 10918-2); where
                       colour is stored at half width, by two (measured on all samples: 1 and 2)
  JPEG 2000 lossy, HTJ2K lossy  the inverse 9/7 wavelet is computed in floating point: one step
                       (measured: 0, but both sides are OpenJPEG here)
JPEG-LS near-lossless is lossy when written, but its decoding is exact.
"""

import hashlib
import json
import pathlib
import sys
import warnings

import numpy as np
import pydicom
from pydicom.pixels import apply_color_lut, pixel_array

warnings.simplefilter("ignore")
SAMPLES = 24
LOSSY_SAMPLES = 200
LOSSY = {
    "1.2.840.10008.1.2.4.50": 1,
    "1.2.840.10008.1.2.4.51": 1,
    "1.2.840.10008.1.2.4.91": 1,
    "1.2.840.10008.1.2.4.203": 1,
}
IMPLICIT = "1.2.840.10008.1.2"


def sha(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array, dtype=dtype).tobytes()).hexdigest()


def group(ds, frame, macro):
    for item in (ds.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1]:
        if macro in item:
            return item[macro][0]
    for item in (ds.get("SharedFunctionalGroupsSequence") or [])[:1]:
        if macro in item:
            return item[macro][0]
    return None


def stored_samples(ds, frame):
    """Integer samples with overlay bits removed and the sign extended."""
    array = pixel_array(ds, index=frame, raw=True)
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    bits, high = int(ds.BitsStored), int(ds.HighBit)
    array = (array.astype(np.int64) >> (high + 1 - bits)) & ((1 << bits) - 1)
    if ds.PixelRepresentation == 1:
        array = np.where(array >= 1 << (bits - 1), array - (1 << bits), array)
    return array


def lut(item):
    entries, first, bits = (int(v) for v in item.LUTDescriptor)
    data = np.asarray(item.LUTData, dtype=np.float64)
    return (entries or 65536), first, bits, data


def modality(ds, frame, values):
    values = values.astype(np.float64)
    if item := group(ds, frame, "PixelValueTransformationSequence"):
        return values * float(item.RescaleSlope) + float(item.RescaleIntercept)
    if ds.get("ModalityLUTSequence"):
        entries, first, _, data = lut(ds.ModalityLUTSequence[0])
        return data[np.clip(values - first, 0, entries - 1).astype(int)]
    if ds.get("DoseGridScaling"):
        return values * float(ds.DoseGridScaling)
    return values * float(ds.get("RescaleSlope") or 1) + float(ds.get("RescaleIntercept") or 0)


def many(value):
    return [float(v) for v in (value if isinstance(value, pydicom.multival.MultiValue) else [value])]


def window_of(ds, frame, gray, keep):
    """(kind, center, width): the first VOI LUT, else the first window of any width, else min..max."""
    item = group(ds, frame, "FrameVOILUTSequence")
    for place in [p for p in (item, ds) if p is not None]:
        if place.get("VOILUTSequence"):
            return "LUT", place.VOILUTSequence[0], None
        if place.get("WindowCenter") not in (None, "") and place.get("WindowWidth") not in (None, ""):
            for c, w in zip(many(place.WindowCenter), many(place.WindowWidth)):
                if w > 0:
                    return place.get("VOILUTFunction", "LINEAR"), c, w
    low, high = float(gray[keep].min()), float(gray[keep].max())
    return "LINEAR_EXACT", (low + high) / 2, (high - low) or 1.0


def levels(gray, window):
    kind, c, w = window
    x = gray.astype(np.float64)
    if kind == "LUT":
        entries, first, bits, data = lut(c)
        y = (data / float((1 << bits) - 1)).astype(np.float32).astype(np.float64)
        y = y[np.clip(x - first, 0, entries - 1).astype(int)] * 255
    elif kind == "SIGMOID":
        y = 255 / (1 + np.exp(-4 * (x - c) / w))
    elif kind == "LINEAR_EXACT" or w < 1:
        y = np.where(x <= c - w / 2, 0, np.where(x > c + w / 2, 255, ((x - c) / w + 0.5) * 255))
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = ((x - (c - 0.5)) / (w - 1) + 0.5) * 255
        y = np.where(x <= c - 0.5 - (w - 1) / 2, 0, np.where(x > c - 0.5 + (w - 1) / 2, 255, inner))
    return np.floor(y + 0.5).astype(np.uint8)


def kept(ds, stored):
    """Without Pixel Padding Value (and Range Limit)."""
    if ds.get("PixelPaddingValue") in (None, "") or stored.dtype.kind == "f":
        return np.ones(stored.shape, bool)
    a = int(ds.PixelPaddingValue)
    b = int(ds.get("PixelPaddingRangeLimit", a))
    return ~((stored >= min(a, b)) & (stored <= max(a, b)))


def to_rgb(ds, stored, pi):
    if pi == "PALETTE COLOR":
        rgb = apply_color_lut(stored.astype(np.uint16 if ds.BitsAllocated == 16 else np.uint8), ds)
        return (rgb >> 8 if rgb.dtype == np.uint16 and rgb.max() > 255 else rgb).astype(np.uint8)
    if ds.BitsStored > 8:
        stored = stored >> (int(ds.BitsStored) - 8)
    if pi not in ("YBR_FULL", "YBR_FULL_422"):
        return stored.astype(np.uint8)
    y, cb, cr = (stored[..., i].astype(np.float64) for i in range(3))
    cb, cr = cb - 128, cr - 128
    r = y + 1.402 * cr
    b = y + 1.772 * cb
    g = (y - 0.299 * r - 0.114 * b) / 0.587
    return np.clip(np.floor(np.stack([r, g, b], -1) + 0.5), 0, 255).astype(np.uint8)


def towards(vector):
    order = sorted(range(3), key=lambda axis: -abs(vector[axis]))
    names = [("R", "L"), ("A", "P"), ("F", "H")]
    return "".join(names[axis][int(vector[axis] > 0)] for n, axis in enumerate(order)
                   if n == 0 or (n == 1 and abs(vector[axis]) > 0.1))


def edges_of(ds, frame):
    """[left, top, right, bottom], or None."""
    if ds.get("AnatomicalOrientationType") == "QUADRUPED":
        return None
    place = group(ds, frame, "PlaneOrientationSequence") or ds
    cosines = place.get("ImageOrientationPatient")
    if cosines:
        row, column = np.array(cosines[:3], float), np.array(cosines[3:], float)
        if abs(np.linalg.norm(row) - 1) > 0.01 or abs(np.linalg.norm(column) - 1) > 0.01 or abs(row @ column) > 0.01:
            return None
        return [towards(-row), towards(-column), towards(row), towards(column)]
    given = ds.get("PatientOrientation") or []
    if len(given) != 2 or not all(v and len(v) <= 3 and set(v) <= set("APRLHF") for v in given):
        return None
    opposite = str.maketrans("APRLHF", "PALRFH")
    return [given[0].translate(opposite), given[1].translate(opposite), *given]


def frame_row(ds, name, frame):
    stored = stored_samples(ds, frame)
    syntax = str(ds.file_meta.TransferSyntaxUID)
    pi = ds.PhotometricInterpretation
    color = stored.ndim == 3 or pi == "PALETTE COLOR"
    row = {"file": name, "frame": frame, "width": int(ds.Columns), "height": int(ds.Rows), "color": color}
    if edges := edges_of(ds, frame):
        row["edges"] = edges
    flat = stored.reshape(-1)
    rng = np.random.default_rng(flat.size)
    places = sorted({0, flat.size - 1, *rng.integers(0, flat.size, LOSSY_SAMPLES if syntax in LOSSY else SAMPLES).tolist()})
    row["places"] = places
    row["samples"] = [flat[i].item() for i in places]
    if syntax in LOSSY:
        row["tolerance"] = 2 if pi == "YBR_FULL_422" else LOSSY[syntax]
    else:
        row["stored"] = sha(stored, np.float64 if stored.dtype.kind == "f" else np.int32)
    if color:
        if syntax not in LOSSY:
            row["rgb"] = sha(to_rgb(ds, stored, "RGB" if pi in ("YBR_RCT", "YBR_ICT") else pi), np.uint8)
        return row
    gray = modality(ds, frame, stored).astype(np.float32)
    row["gray"] = [float(gray.reshape(-1)[i]) for i in places]
    if syntax not in LOSSY:
        keep = kept(ds, stored)
        window = window_of(ds, frame, gray, keep)
        level = levels(gray, window)
        if pi == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE":
            level = 255 - level
        row["window"] = [window[0]] + ([] if window[0] == "LUT" else [window[1], window[2]])
        row["render"] = sha(level, np.uint8)
    return row


def main(shared, out):
    root = pathlib.Path(shared)
    rows = []
    for path in sorted([*root.glob("dicom/**/*"), *root.glob("pathology/*.dcm")]):
        name = path.relative_to(root).as_posix()
        if path.is_dir() or "/malformed/" in name or path.name == "DICOMDIR":
            continue
        ds = pydicom.dcmread(path, force=True)
        meta = getattr(ds, "file_meta", None)
        if meta is None or "TransferSyntaxUID" not in meta:
            ds.file_meta = pydicom.dataset.FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = IMPLICIT
        if not any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            continue
        try:
            count = int(ds.get("NumberOfFrames") or 1)
        except (TypeError, ValueError):
            count = 1
        for frame in sorted({0, count // 2, count - 1}):
            try:
                rows.append(frame_row(ds, name, frame))
            except Exception as error:  # what pydicom refuses is in the list of refusals of the test
                print("left out:", name, type(error).__name__, str(error)[:90], file=sys.stderr)
                break
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    pathlib.Path(out).write_text("[\n" + text + "\n]\n")
    print(len(rows), "frames of", len({r["file"] for r in rows}), "files")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
