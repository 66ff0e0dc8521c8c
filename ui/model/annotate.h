#pragma once

#include "ui/model/session.h"

#include <QColor>
#include <QImage>
#include <QList>

namespace ui {

/// The colour of the box with this index, for pictures. Five, again and again.
QColor annotationColor(int index);

/// ①, ②, … ⑳; "(21)" and so on beyond.
QString annotationMark(int index);

/// A copy of the picture, `scale` times as large, with the region dashed and the boxes of this
/// attachment in lines of 1.5 px with a dark edge, drawn around what they show. Each box has a
/// numbered disk, its place in `boxes` from 1, outside every box where there is room. `pixelRatio`:
/// pixels of the result to one of 1/96 inch, for lines and numbers that stay legible in print.
/// Boxes and region are in pixels of the picture. Text needs a QGuiApplication.
QImage drawAnnotations(const QImage& picture, const QList<AnswerBox>& boxes, int attachment,
                       const QRect& region, double scale = 1, double pixelRatio = 1);

}  // namespace ui
