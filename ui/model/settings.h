#pragma once

#include "inference/engine.h"
#include "ui/model/conversation.h"
#include "ui/model/verification.h"

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

namespace ui {

/// What the program remembers between runs. Made by main() and passed by reference; every setter
/// writes through. What a hand-edited file holds is brought into range. GUI thread.
class Settings {
public:
    /// The user's own, in the desktop's place for it.
    Settings();
    /// In an INI file, for tests and `--settings`.
    explicit Settings(const QString& file);

    /// Folder, adapter's folder, device ("auto", "cpu", "cuda:0") and dtype ("auto", "bf16",
    /// "fp32") of the model loaded last; empty folders where there was none.
    inference::LoadOptions model() const;
    void setModel(const inference::LoadOptions& options);
    /// The same for another folder: an adapter belongs to the model it was chosen for.
    inference::LoadOptions modelIn(const QString& folder) const;

    /// Checkpoint folders loaded last, the latest first, at most 8, each once.
    QStringList recentModels() const;
    void addRecentModel(const QString& folder);
    bool loadModelAtStart() const;  // on at first
    void setLoadModelAtStart(bool on);

    /// Of this build on this machine, the latest first; at most 16, one for each model, device and
    /// dtype.
    QList<Verification> verifications() const;
    void addVerification(const Verification& verification);

    AskOptions askOptions() const;
    void setAskOptions(const AskOptions& options);

    QString theme() const;  // a name of ui/view/theme.h; "dark" at first
    void setTheme(const QString& name);

    /// Files and folders opened last, the latest first, at most 12, each once.
    QStringList recentFiles() const;
    void addRecentFile(const QString& path);
    void clearRecentFiles();

    /// As QMainWindow's saveGeometry() and saveState() gave them.
    QByteArray windowGeometry() const;
    QByteArray windowState() const;
    void setWindow(const QByteArray& geometry, const QByteArray& state);

    /// Corner text, scale bar and letters over the picture.
    bool overlays() const;
    void setOverlays(bool on);
    bool tileGrid() const;
    void setTileGrid(bool on);
    bool tileStrip() const;
    void setTileStrip(bool on);

    /// Where the last dialog was: "open", "report", "model", "adapter".
    QString folder(const QString& dialog) const;
    void setFolder(const QString& dialog, const QString& folder);

    /// Throws nothing; false where the last change could not be written to disk.
    bool sync();

private:
    QSettings m_settings;
};

}  // namespace ui
