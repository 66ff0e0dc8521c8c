#pragma once

#include "ui/model/document.h"

#include <QList>
#include <QRect>
#include <QString>
#include <QStringList>

namespace ui {

/// A question to try on a picture of the demonstration study.
struct DemoQuestion {
    QString file;  // absolute
    int frame = 0;
    QRect region;  // pixels of the frame; null: the whole of it
    QString text;
};

/// The pictures that come with the program (resources/demo), and what one can ask about them.
struct DemoStudy {
    QStringList files;  // to open, in order; absolute
    QList<DemoQuestion> questions;

    bool isEmpty() const { return files.isEmpty(); }
    bool holds(const QString& path) const;
    QList<DemoQuestion> questionsFor(const FrameRef& frame) const;
};

/// Reads folder/demo.json. An empty folder holds no study. Throws Error that names the file.
DemoStudy readDemoStudy(const QString& folder);

}  // namespace ui
