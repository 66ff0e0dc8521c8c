#include "ui/model/ask.h"

#include <QTemporaryDir>
#include <QTest>

using inference::Role;
using ui::Turn;
using ui::TurnState;

namespace {

/// Each pixel tells where it is.
QImage placePicture(int width, int height, int blue = 7)
{
    QImage image(width, height, QImage::Format_RGB888);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            image.setPixel(x, y, qRgb(x, y, blue));
        }
    }
    return image;
}

ui::AttachedFrame attached(const QString& file, const QImage& pixels, const QRect& region = {})
{
    ui::AttachedFrame one;
    one.frame.ref.file = file;
    one.frame.pixels = pixels;
    one.region = region;
    one.title = file;
    return one;
}

ui::Attachment attachment(const QString& file, const QRect& region = {})
{
    return ui::makeAttachment(attached(file, placePicture(200, 100), region));
}

Turn turn(const QString& question, const QString& answer, int pictures,
          TurnState state = TurnState::Done)
{
    static int number = 0;
    Turn one;
    one.question = question;
    one.answer = answer;
    one.text = answer;
    one.state = state;
    for (int i = 0; i < pictures; ++i) {
        one.attachments << attachment(QStringLiteral("file %1").arg(++number));
    }
    return one;
}

/// Pictures that are told apart by their width: 1, 2, 3, …
std::vector<inference::Image> numbered(const ui::Session& session)
{
    std::vector<inference::Image> pictures;
    for (int i = 0; i < session.attachments().size(); ++i) {
        inference::Image image;
        image.width = i + 1;
        pictures.push_back(image);
    }
    return pictures;
}

struct Line {
    Role role;
    QString text;
    QList<int> pictures;
    bool operator==(const Line&) const = default;
};

QList<Line> lines(const ui::Session& session)
{
    QList<Line> all;
    for (const auto& message : ui::makeRequest(session, numbered(session), {}).messages) {
        Line line{message.role, QString::fromStdString(message.text), {}};
        for (const auto& image : message.images) {
            line.pictures << image.width;
        }
        all << line;
    }
    return all;
}

}  // namespace

class AskTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void oneFirstPictureHasAPlainMark()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("What is it?"), {}, 1, TurnState::Running);
        const QList<Line> expected{{Role::User, QStringLiteral("<image>\nWhat is it?"), {1}}};
        QVERIFY(lines(session) == expected);
    }

    void severalPicturesAreNumberedThroughTheConversation()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("Compare."), QStringLiteral("Left is brighter."), 2)
                      << turn(QStringLiteral("Sure?"), QStringLiteral("Yes."), 0)
                      << turn(QStringLiteral("And this?"), {}, 1, TurnState::Running);
        const QList<Line> expected{
            {Role::User, QStringLiteral("Image-1: <image>\nImage-2: <image>\nCompare."), {1, 2}},
            {Role::Assistant, QStringLiteral("Left is brighter."), {}},
            {Role::User, QStringLiteral("Sure?"), {}},
            {Role::Assistant, QStringLiteral("Yes."), {}},
            {Role::User, QStringLiteral("Image-3: <image>\nAnd this?"), {3}},
        };
        QVERIFY(lines(session) == expected);
    }

    void aSecondPictureDoesNotChangeThePromptBeforeIt()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("What is it?"), QStringLiteral("A liver."), 1)
                      << turn(QStringLiteral("And this?"), {}, 1, TurnState::Running);
        const QList<Line> found = lines(session);
        QCOMPARE(found[0].text, QStringLiteral("<image>\nWhat is it?"));
        QCOMPARE(found[2].text, QStringLiteral("Image-2: <image>\nAnd this?"));
    }

    void aFirstPictureInALaterTurnHasAMarkToo()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("Hello"), QStringLiteral("Hello."), 0)
                      << turn(QStringLiteral("What is it?"), {}, 1, TurnState::Running);
        QCOMPARE(lines(session)[2].text, QStringLiteral("<image>\nWhat is it?"));
    }

    void turnsWithoutAnAnswerAreLeftOutAndTheirPicturesMoveOn()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("failed"), QStringLiteral("half an"), 1,
                              TurnState::Failed)
                      << turn(QStringLiteral("stopped early"), {}, 1, TurnState::Stopped)
                      << turn(QStringLiteral("stopped late"), QStringLiteral("It is"), 0,
                              TurnState::Stopped)
                      << turn(QStringLiteral("now"), {}, 1, TurnState::Running);
        const QList<Line> expected{
            {Role::User,
             QStringLiteral("Image-1: <image>\nImage-2: <image>\nstopped late"),
             {1, 2}},
            {Role::Assistant, QStringLiteral("It is"), {}},
            {Role::User, QStringLiteral("Image-3: <image>\nnow"), {3}},
        };
        QVERIFY(lines(session) == expected);
    }

    void historyQuotesTheWholeTextOfTheModel()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("a"), QStringLiteral("answer"), 0)
                      << turn(QStringLiteral("b"), {}, 0, TurnState::Running);
        session.turns[0].text = QStringLiteral("<think>\nhm\n</think>\nanswer");
        QCOMPARE(lines(session)[1].text, session.turns[0].text);
        session.turns[0].text.clear();  // killed before the end was known
        QCOMPARE(lines(session)[1].text, QStringLiteral("answer"));
    }

    void typedMarksAreKeptOnlyWhereTheyMatchThePictures()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("A <image> and B <image>."), {}, 2,
                              TurnState::Running);
        QCOMPARE(lines(session)[0].text, QStringLiteral("A <image> and B <image>."));
        session.turns[0] =
            turn(QStringLiteral("What does <image> mean?"), {}, 0, TurnState::Running);
        QCOMPARE(lines(session)[0].text, QStringLiteral("What does < image> mean?"));
        session.turns[0] = turn(QStringLiteral("What does <image> mean in this one: <image>?"), {},
                                1, TurnState::Running);
        QCOMPARE(lines(session)[0].text,
                 QStringLiteral("<image>\nWhat does < image> mean in this one: < image>?"));
    }

    void optionsReachTheRequest()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("?"), {}, 0, TurnState::Running);
        ui::AskOptions options;
        options.system = {inference::SystemPrompt::Preset::Own, "Be brief."};
        options.sampling = {.temperature = 0.5, .topK = 7, .topP = 0.9, .seed = 42};
        options.maxTiles = 3;
        options.maxNewTokens = 17;
        const auto request = ui::makeRequest(session, {}, options);
        QCOMPARE(request.system.text, std::string("Be brief."));
        QCOMPARE(request.sampling.seed, 42U);
        QCOMPARE(request.maxTiles, 3);
        QCOMPARE(request.maxNewTokens, 17);
        const ui::Provenance from = ui::makeProvenance({}, options);
        QCOMPARE(from.systemPreset, QStringLiteral("own"));
        QCOMPARE(from.topK, 7);
        QCOMPARE(from.maxTiles, 3);
        QVERIFY(from.program.startsWith(QStringLiteral("KVL Workbench 0.")));
    }

    void provenanceNamesTheAdapterAndItsHash()
    {
        inference::ModelInfo model;
        model.name = "KVL-14B";
        model.modelHash = "abc";
        const ui::Provenance bare = ui::makeProvenance(model, {});
        QCOMPARE(bare.modelName, QStringLiteral("KVL-14B"));
        QCOMPARE(bare.adapterHash, QString());
        model.adapter = "/lora/colon";
        model.adapterHash = "def";
        const ui::Provenance beside = ui::makeProvenance(model, {});
        QCOMPARE(beside.modelName, QStringLiteral("KVL-14B + adapter colon"));
        QCOMPARE(beside.modelHash, QStringLiteral("abc"));
        QCOMPARE(beside.adapterHash, QStringLiteral("def"));
    }

    void aRegionIsExactlyItsPixelsWithoutACopy()
    {
        const QImage frame = placePicture(203, 101);  // rows are padded
        const ui::Attachment one =
            ui::makeAttachment(attached(QStringLiteral("f"), frame, QRect(31, 17, 50, 40)));
        const inference::Image image = ui::givenPicture(frame, one);
        QCOMPARE(image.width, 50);
        QCOMPARE(image.height, 40);
        for (int y = 0; y < image.height; ++y) {
            for (int x = 0; x < image.width; ++x) {
                const auto* pixel = image.row(y) + x * 3;
                QVERIFY(pixel[0] == 31 + x && pixel[1] == 17 + y && pixel[2] == 7);
            }
        }
        QVERIFY(image.row(0) == frame.constScanLine(17) + 31 * 3);
    }

    void theRegionsPixelsOutliveTheFrame()
    {
        inference::Image image;
        {
            const QImage frame = placePicture(64, 64);
            image = ui::givenPicture(
                frame,
                ui::makeAttachment(attached(QStringLiteral("f"), frame, QRect(60, 60, 4, 4))));
        }
        QCOMPARE(int(image.row(3)[9]), 63);
    }

    void aRegionIsCutToTheFrame()
    {
        QCOMPARE(attachment(QStringLiteral("f"), QRect(150, 50, 500, 500)).region,
                 QRect(150, 50, 50, 50));
        QVERIFY(attachment(QStringLiteral("f"), QRect(-5, -5, 500, 500)).region.isNull());
        QVERIFY(attachment(QStringLiteral("f"), QRect(300, 300, 5, 5)).region.isNull());
    }

    void aPictureIsTheSameOnlyWithTheSameFrameWindowAndRegion()
    {
        const ui::Attachment one = attachment(QStringLiteral("f"));
        QVERIFY(ui::samePicture(one, attachment(QStringLiteral("f"), QRect(0, 0, 200, 100))));
        QVERIFY(!ui::samePicture(one, attachment(QStringLiteral("g"))));
        QVERIFY(!ui::samePicture(one, attachment(QStringLiteral("f"), QRect(0, 0, 20, 10))));
        ui::Attachment other = one;
        other.options.window = ui::WindowLevel{40, 400};
        QVERIFY(!ui::samePicture(one, other));
        other = one;
        other.frame.index = 1;
        QVERIFY(!ui::samePicture(one, other));
    }

    void pastedPicturesAreToldApartByTheirPixels()
    {
        const auto pasted = [](int blue) {
            return ui::makeAttachment(attached({}, placePicture(20, 10, blue)));
        };
        QVERIFY(ui::samePicture(pasted(1), pasted(1)));
        QVERIFY(!ui::samePicture(pasted(1), pasted(2)));
        QCOMPARE(ui::FrameReader().read(pasted(3)), placePicture(20, 10, 3));
    }

    void thumbnailsShowTheRegionAndStaySmall()
    {
        const QImage frame = placePicture(250, 200);
        const QImage small =
            ui::makeAttachment(attached(QStringLiteral("f"), frame, QRect(100, 50, 30, 20)))
                .thumbnail;
        QCOMPARE(small, frame.copy(100, 50, 30, 20));
        QImage large(4000, 3000, QImage::Format_RGB888);
        large.fill(Qt::red);
        QCOMPARE(ui::makeAttachment(attached(QStringLiteral("f"), large)).thumbnail.size(),
                 QSize(96, 72));
    }

    void boxesComeBackInPixelsOfTheWholeFrame()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("a"), QStringLiteral("b"), 1)
                      << turn(QStringLiteral("c"), {}, 0);
        session.turns[1].attachments << attachment(QStringLiteral("x"), QRect(100, 40, 80, 50));
        inference::Answer answer;
        answer.answer = "found in Image-1 and Image-2";
        answer.text = answer.answer;
        answer.boxes = {{"inside", 1, 10, 5, 20, 10},     {"over the edge", 1, 70, 40, 50, 50},
                        {"outside", 1, 90, 60, 5, 5},     {"of the first", 0, 1, 2, 3, 4},
                        {"of no picture", 7, 1, 1, 1, 1}, {"negative", -1, 1, 1, 1, 1}};
        answer.images = {{200, 100, {1, 1}, 1, 256}, {80, 50, {3, 2}, 7, 1792}};
        answer.promptIds = {1, 2, 3};
        answer.newIds = {4};
        answer.seconds.decode = 2.5;
        answer.stop = inference::StopReason::TokenLimit;
        ui::takeAnswer(session, 1, answer);
        const Turn& done = session.turns[1];
        QVERIFY(done.state == TurnState::TokenLimit);
        const QList<ui::AnswerBox> expected{
            {QStringLiteral("inside"), 1, QRectF(110, 45, 20, 10)},
            {QStringLiteral("over the edge"), 1, QRectF(170, 80, 10, 10)},
            {QStringLiteral("of the first"), 0, QRectF(1, 2, 3, 4)}};
        QVERIFY(done.boxes == expected);
        QCOMPARE(done.attachments[0].gridColumns, 3);
        QCOMPARE(done.attachments[0].tokens, 1792);
        QCOMPARE(session.turns[0].attachments[0].tokens, 256);  // had had no answer yet
        answer.images[0] = {200, 100, {2, 1}, 3, 768};
        ui::takeAnswer(session, 1, answer);
        QCOMPARE(session.turns[0].attachments[0].tokens, 256);
        QCOMPARE(done.provenance.promptIds, (QList<int>{1, 2, 3}));
        QCOMPARE(done.provenance.decodeSeconds, 2.5);
    }

    void boxesOfNoNamedPictureAreOfTheOneInTalk()
    {
        ui::Session session;
        session.turns << turn(QStringLiteral("a"), QStringLiteral("b"), 1)
                      << turn(QStringLiteral("c"), {}, 0) << turn(QStringLiteral("d"), {}, 0);
        session.turns[1].attachments << attachment(QStringLiteral("x"), QRect(100, 40, 80, 50));
        inference::Answer answer;
        answer.text = "polyp[[250, 500, 500, 1000]]";
        answer.boxes = {{"polyp", 0, 50, 50, 50, 50}};  // of the first picture, 200 × 100
        for (const int row : {1, 2}) {
            ui::takeAnswer(session, row, answer);
            const QList<ui::AnswerBox> expected{
                {QStringLiteral("polyp"), 1, QRectF(120, 65, 20, 25)}};
            QVERIFY(session.turns[row].boxes == expected);
        }
        answer.text = "Image-1: polyp[[250, 500, 500, 1000]]";
        ui::takeAnswer(session, 1, answer);
        QCOMPARE(session.turns[1].boxes[0].rect, QRectF(50, 50, 50, 50));
    }

    void aMissingFileIsNamed()
    {
        QTemporaryDir folder;
        ui::Attachment one = attachment(folder.filePath(QStringLiteral("gone.png")));
        try {
            ui::FrameReader().read(one);
            QFAIL("no error");
        } catch (const ui::Error& error) {
            QVERIFY(error.sentence().contains(QStringLiteral("gone.png is no longer there")));
        }
    }

    void aFrameIsReadAgainAsItWasGiven()
    {
        QTemporaryDir folder;
        const QString file = folder.filePath(QStringLiteral("picture.png"));
        const QImage pixels = placePicture(200, 100);
        QVERIFY(pixels.save(file));
        const ui::Attachment one = ui::makeAttachment(attached(file, pixels, QRect(5, 6, 7, 8)));
        QCOMPARE(ui::FrameReader().read(one), pixels);
        QVERIFY(placePicture(100, 100).save(file));
        try {
            ui::FrameReader().read(one);
            QFAIL("no error");
        } catch (const ui::Error& error) {
            QVERIFY(error.sentence().contains(QStringLiteral("has changed")));
        }
    }

    void titlesAreOneShortLine_data()
    {
        QTest::addColumn<QString>("question");
        QTest::addColumn<QString>("title");
        QTest::newRow("short") << "  Is it a polyp? \n More."
                               << "Is it a polyp?";
        QTest::newRow("cut at a word")
            << "Is there any finding in the left lower lobe that was not there before?"
            << "Is there any finding in the left lower lobe that was not…";
        QTest::newRow("no spaces") << QString(100, QLatin1Char('x'))
                                   << QString(59, QLatin1Char('x')) + QStringLiteral("…");
    }
    void titlesAreOneShortLine()
    {
        QFETCH(QString, question);
        QFETCH(QString, title);
        QCOMPARE(ui::titleFromQuestion(question), title);
    }
};

QTEST_GUILESS_MAIN(AskTest)
#include "ask_test.moc"
