#pragma once

#include "ui/model/document.h"

#include <QDateTime>
#include <QList>
#include <QRect>
#include <QString>
#include <QVariantMap>

namespace ui {

/// A picture of a question: where it comes from and what part of it the model was given.
struct Attachment {
    FrameRef frame;
    FrameOptions options;
    QRect region;      // pixels of the frame; null: the whole frame
    QSize frameSize;   // pixels of the whole frame
    QString title;     // "CT_small.dcm · slice 1"
    QString window;    // "C 40 W 400", empty for colour
    QImage thumbnail;  // at most 96 × 96, of what the model was given
    QImage picture;    // the whole frame where no file holds it (pasted pictures), else null
    // What the engine made of it, known once the turn is answered: 0 before.
    int gridColumns = 0, gridRows = 0;
    int tiles = 0;   // thumbnail tile included
    int tokens = 0;  // image context tokens

    bool operator==(const Attachment&) const = default;
    /// What the model is given: the region, or the whole frame.
    QRect given() const { return region.isNull() ? QRect({}, frameSize) : region; }
};

/// A box of an answer, in pixels of the attachment's whole frame.
struct AnswerBox {
    QString label;
    int attachment = 0;  // index among all attachments of the session, in order
    QRectF rect;
    bool operator==(const AnswerBox&) const = default;
};

enum class TurnState { Running, Done, Stopped, TokenLimit, Failed };

/// What it takes to replay a turn and to trust it.
struct Provenance {
    QString modelName, modelHash, device, dtype, program;  // program: "KVL Workbench 0.1.0"
    QString adapterHash;  // empty: no adapter, which modelName would name
    QString systemPreset, systemText;
    int maxTiles = 12, maxNewTokens = 1024, topK = 50;
    double temperature = 0, topP = 1;
    double minP = 0, repetitionPenalty = 1;  // of the command line; the window has no such options
    quint64 seed = 0;
    QList<int> promptIds, newIds;
    int cachedTokens = 0;
    double visionSeconds = 0, prefillSeconds = 0, decodeSeconds = 0, firstTokenSeconds = 0;
    bool demonstration = false;  // the bundled model, trained on synthetic pictures only
    bool operator==(const Provenance&) const = default;
};

struct Turn {
    qint64 id = 0;  // 0: not stored yet
    QDateTime asked;
    QString question;
    QList<Attachment> attachments;
    QString thinking, answer;
    QString text;  // as the model gave it, thinking included: what later turns quote
    double thinkingSeconds = 0;
    QList<AnswerBox> boxes;
    TurnState state = TurnState::Running;
    QString error;  // for Failed
    Provenance provenance;
    bool operator==(const Turn&) const = default;
};

struct Session {
    qint64 id = 0;  // 0: not stored yet
    QString title;
    QDateTime created, updated;
    QList<Turn> turns;

    QList<Attachment> attachments() const  // of all turns, in order
    {
        QList<Attachment> all;
        for (const Turn& turn : turns) {
            all += turn.attachments;
        }
        return all;
    }
};

struct SessionSummary {
    qint64 id = 0;
    QString title;
    QDateTime updated;
    int turns = 0;
};

}  // namespace ui
