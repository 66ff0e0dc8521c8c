#pragma once

#include "ui/model/conversation.h"

#include <memory>
#include <vector>

/// From a session to what the engine is asked, and back. Values only; the window and the command
/// line share it.
namespace ui {

/// "KVL Workbench 0.1.0"
QString programName();

/// The region is cut to the frame, and null where it is the whole of it.
Attachment makeAttachment(const AttachedFrame& attached);
/// The same without its thumbnail: enough for samePicture(), at no cost.
Attachment nameAttachment(const AttachedFrame& attached);
/// Whether both are the same pixels of the same frame in the same window.
bool samePicture(const Attachment& a, const Attachment& b);

/// What the model is given of a whole frame; shares the frame's pixels.
inference::Image givenPicture(const QImage& frame, const Attachment& attachment);

/// Reads the frames of stored attachments again, each file once.
class FrameReader {
public:
    explicit FrameReader(std::stop_token stop = {});
    ~FrameReader();
    /// The whole frame as the model was given it, Format_RGB888. Throws Error that names the file.
    QImage read(const Attachment& attachment);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

/// The last turn of the session is the question; `pictures` are those of session.attachments().
///
/// - Turns without an answer (failed, or stopped before it) are left out; their pictures go with
///   the next question.
/// - Answers are quoted as the model gave them, thinking included, as the history of the
///   reference's chat() does (model specification 6.5).
/// - Marks are written here, so that the k-th picture of the conversation has the same name to the
///   end (6.3 knows the first turn only): `<image>\n` where the conversation's first pictures are
///   one, `Image-1: <image>\nImage-2: <image>\n` where they are several; pictures of later
///   questions count on, `Image-3: <image>\n`.
/// - A user who types as many `<image>` as the question has pictures has placed them; any other
///   number is taken apart (`< image>`), for each mark must have its picture.
inference::Request makeRequest(const Session& session,
                               const std::vector<inference::Image>& pictures,
                               const AskOptions& options);

/// What is known before the answer.
Provenance makeProvenance(const inference::ModelInfo& model, const AskOptions& options);

/// Fills the turn in `row` from the answer: state, texts, boxes in pixels of the attachments' whole
/// frames, tiles, times, ids. Where the answer names no picture (`Image-2`), its boxes are of the
/// first picture of the latest question that brought one. Texts that came before a cancelled answer
/// without any are kept.
void takeAnswer(Session& session, int row, const inference::Answer& answer);

/// The first line of a question, at most 60 characters.
QString titleFromQuestion(const QString& question);

}  // namespace ui
