#include "ui/model/document.h"

#include <QFileInfo>

namespace ui {

QImage Document::thumbnail(int index, int size)
{
    const Frame whole = frame(index);
    const QImage& picture = whole.picture();
    if (picture.width() <= size && picture.height() <= size) {
        return picture;
    }
    return picture.scaled(size, size, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

int Document::indexOf(const FrameRef& ref) const
{
    if (ref.index < 0 || ref.index >= frameCount()) {
        return -1;
    }
    if (ref.file == path()) {
        return ref.index;
    }
    const QString wanted = QFileInfo(ref.file).canonicalFilePath();
    return !wanted.isEmpty() && wanted == QFileInfo(path()).canonicalFilePath() ? ref.index : -1;
}

}  // namespace ui
