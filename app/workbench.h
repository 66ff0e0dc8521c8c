#pragma once

#include <QString>
#include <QStringList>

#include <memory>

class QApplication;

namespace app {

/// What the command line of `kvl-workbench` says.
struct WorkbenchOptions {
    QStringList files;
    QString model;       // checkpoint folder; empty: the last one, where the user wants that
    QString theme;       // empty: the one chosen last
    QString dataFolder;  // empty: the desktop's place for it
};

/// Everything the window needs, made in order and taken down in reverse.
class Workbench {
public:
    /// Throws ui::Error where the sessions can't be opened.
    Workbench(QApplication& application, const WorkbenchOptions& options);
    ~Workbench();
    void show();

private:
    struct Private;
    std::unique_ptr<Private> d;
};

}  // namespace app
