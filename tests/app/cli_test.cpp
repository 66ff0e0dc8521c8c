#include "support/shared_data.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QtEndian>

#include <cmath>
#include <csignal>

namespace {

struct Result {
    int status = -1;
    QByteArray out, error;

    QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
};

Result runProgram(const QString& program, const QStringList& arguments,
                  const QByteArray& input = {})
{
    QProcess process;
    process.start(program, arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(120'000)) {
        process.kill();
        process.waitForFinished();
        return {-2, process.readAllStandardOutput(), process.readAllStandardError()};
    }
    const int status = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -3;
    return {status, process.readAllStandardOutput(), process.readAllStandardError()};
}

Result kvl(const QStringList& arguments, const QByteArray& input = {})
{
    return runProgram(KVL_PROGRAM, arguments, input);
}

QString dataFile(const QString& name)
{
    const auto folder = test::sharedData();
    return folder ? QString::fromStdString((*folder / "data").string()) + '/' + name : QString();
}

/// A picture whose every pixel tells its place.
QImage gradient(int width, int height)
{
    QImage image(width, height, QImage::Format_RGB888);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            image.setPixel(x, y, qRgb(x % 256, y % 256, (x + y) % 256));
        }
    }
    return image;
}

}  // namespace

class CliTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        qputenv("KVL_RESOURCES", m_folder.filePath("none").toLocal8Bit());
        m_model = m_folder.filePath("model");
        const Result made = runProgram(KVL_MAKE_CHECKPOINT,
                                       {"--shape", "tiny", "--seed", "7", "--tokenizer",
                                        KVL_TEST_DATA "/tokenizer-small", m_model});
        QVERIFY2(made.status == 0, made.error);
        m_picture = m_folder.filePath("gradient.png");
        QVERIFY(gradient(500, 400).save(m_picture));
    }

    void helpNamesEveryCommand()
    {
        const Result help = kvl({"--help"});
        QCOMPARE(help.status, 0);
        for (const QByteArray command : {"ask", "score", "tiles", "tokenize", "info", "verify"}) {
            QVERIFY(help.out.contains("kvl " + command));
            const Result own = kvl({command, "--help"});
            QCOMPARE(own.status, 0);
            QVERIFY(own.out.startsWith("kvl " + command));
        }
    }

    void wrongWordsGiveStatusTwoAndASentence_data()
    {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QByteArray>("says");
        QTest::newRow("no command") << QStringList{} << QByteArray("kvl ask");
        QTest::newRow("unknown command")
            << QStringList{"dance"} << QByteArray("unknown command \"dance\"");
        QTest::newRow("unknown option")
            << QStringList{"ask", "--modle", "x", "q"} << QByteArray("unknown option --modle");
        QTest::newRow("no model") << QStringList{"ask", "q"} << QByteArray("--model is missing");
        QTest::newRow("no question")
            << QStringList{"ask", "--model", "x"} << QByteArray("the question is missing");
        QTest::newRow("two questions")
            << QStringList{"ask", "--model", "x", "a", "b"} << QByteArray("more than one question");
        QTest::newRow("no value") << QStringList{"ask", "q", "--model"}
                                  << QByteArray("--model needs a value");
        QTest::newRow("top p") << QStringList{"ask", "--model", "x", "--top-p", "1.5", "q"}
                               << QByteArray("expected a number from 0 to 1");
        QTest::newRow("min p") << QStringList{"ask", "--model", "x", "--min-p", "-0.1", "q"}
                               << QByteArray("--min-p is \"-0.1\"; expected a number from 0 to 1");
        QTest::newRow("penalty")
            << QStringList{"ask", "--model", "x", "--repetition-penalty", "0", "q"}
            << QByteArray("--repetition-penalty is \"0\"; expected a number from 0.01 to 100");
        QTest::newRow("logprobs of text")
            << QStringList{"ask", "--model", "x", "--logprobs", "2", "q"}
            << QByteArray("--logprobs is for --json");
        QTest::newRow("nothing to score")
            << QStringList{"score", "--model", "x", "q"} << QByteArray("--options is missing");
        QTest::newRow("nothing to verify")
            << QStringList{"verify", "--quick"} << QByteArray("--model is missing");
        QTest::newRow("empty option")
            << QStringList{"score", "--model", "x", "--options", "yes|", "q"}
            << QByteArray("an option is empty");
        QTest::newRow("tiles 0") << QStringList{"ask", "--model", "x", "--max-tiles", "0", "q"}
                                 << QByteArray("from 1 to 40");
        QTest::newRow("window") << QStringList{"ask", "--model", "x",       "--window",
                                               "40",  "q",       "--image", "y"}
                                << QByteArray("2 numbers joined by '/'");
        QTest::newRow("window 0") << QStringList{"ask",  "--model", "x",       "--window",
                                                 "40/0", "q",       "--image", "y"}
                                  << QByteArray("a width above 0");
        QTest::newRow("frames") << QStringList{"ask", "--model",  "x", "--image",
                                               "y",   "--frames", "3", "q"}
                                << QByteArray("expected A-B or A-B:STEP");
        QTest::newRow("frames backwards")
            << QStringList{"ask", "--model", "x", "--image", "y", "--frames", "5-3", "q"}
            << QByteArray("the first frame before the last");
        QTest::newRow("frames and pictures")
            << QStringList{"ask",      "--model", "x",       "--image", "y",
                           "--frames", "0-3",     "--image", "z",       "q"}
            << QByteArray("does not go with another --image");
        QTest::newRow("region") << QStringList{"tiles", "--out", "x", "--region", "1,2,3", "y"}
                                << QByteArray("4 numbers joined by ','");
        QTest::newRow("half pixels")
            << QStringList{"tiles", "--out", "x", "--region", "1,2.5,3,4", "y"}
            << QByteArray("in whole pixels");
    }

    void wrongWordsGiveStatusTwoAndASentence()
    {
        QFETCH(QStringList, words);
        QFETCH(QByteArray, says);
        const Result result = kvl(words);
        QCOMPARE(result.status, 2);
        QVERIFY2(result.error.contains(says), result.error);
        QVERIFY(result.out.isEmpty());
    }

    void whatDoesNotOpenSaysWhy()
    {
        const Result missing =
            kvl({"ask", "--model", m_model, "--image", m_folder.filePath("nowhere.png"), "q"});
        QCOMPARE(missing.status, 1);
        QVERIFY2(missing.error.contains("nowhere.png"), missing.error);
        QCOMPARE(missing.error.count('\n'), 1);

        const Result noModel = kvl({"ask", "--model", m_folder.filePath("nowhere"), "q"});
        QCOMPARE(noModel.status, 1);
        QVERIFY2(noModel.error.contains("nowhere"), noModel.error);
        QCOMPARE(noModel.error.count('\n'), 1);

        const Result frame =
            kvl({"tiles", m_picture, "--out", m_folder.filePath("t"), "--frame", "3"});
        QCOMPARE(frame.status, 1);
        QVERIFY2(frame.error.contains("--frame 3"), frame.error);

        const Result region =
            kvl({"tiles", m_picture, "--out", m_folder.filePath("t"), "--region", "450,0,100,100"});
        QCOMPARE(region.status, 1);
        QVERIFY2(region.error.contains("500 × 400"), region.error);
    }

    void aCutPictureIsSaidInOneLine()
    {
        QFile whole(m_picture), cut(m_folder.filePath("cut.png"));
        QVERIFY(whole.open(QIODevice::ReadOnly) && cut.open(QIODevice::WriteOnly));
        cut.write(whole.read(whole.size() / 2));
        cut.close();
        const Result result = kvl({"tiles", cut.fileName(), "--out", m_folder.filePath("t")});
        QCOMPARE(result.status, 1);
        QVERIFY2(result.error.contains("damaged or incomplete PNG"), result.error);
        QCOMPARE(result.error.count('\n'), 1);
    }

    void outputThatCannotBeWrittenIsAFailure()
    {
        if (!QFile::exists("/dev/full")) {
            QSKIP("needs /dev/full");
        }
        for (const QStringList& words :
             {QStringList{"info", m_picture}, QStringList{"tokenize", "--model", m_model},
              QStringList{"ask", "--model", m_model, "--max-new-tokens", "2", "q"}}) {
            QProcess process;
            process.setStandardOutputFile("/dev/full");
            process.start(KVL_PROGRAM, words);
            process.write("text");
            process.closeWriteChannel();
            QVERIFY(process.waitForFinished(60'000));
            QCOMPARE(process.exitCode(), 1);
            QVERIFY(process.readAllStandardError().contains("could not be written"));
        }
    }

    void askPrintsOneObject()
    {
        const Result result =
            kvl({"ask", "--model", m_model, "--image", m_picture, "--device", "cpu", "--dtype",
                 "fp32", "--max-new-tokens", "6", "--json", "What is this?"});
        QVERIFY2(result.status == 0, result.error);
        const QJsonObject answer = result.json();
        for (const char* key : {"prompt_ids", "new_ids", "text", "thinking", "answer", "boxes",
                                "images", "stop", "seconds", "device", "dtype", "model_hash"}) {
            QVERIFY2(answer.contains(key), key);
        }
        QVERIFY(answer["new_ids"].toArray().size() <= 6);
        QVERIFY(!answer["new_ids"].toArray().isEmpty());
        QCOMPARE(answer["device"].toString(), "cpu");
        QCOMPARE(answer["dtype"].toString(), "fp32");
        QCOMPARE(answer["model_hash"].toString().size(), 64);
        const QJsonObject image = answer["images"].toArray().at(0).toObject();
        QCOMPARE(image["grid"].toArray(),
                 QJsonArray({4, 3}));  // model specification 5.3, 500 × 400
        QCOMPARE(image["tiles"].toInt(), 13);
        QCOMPARE(image["width"].toInt(), 500);
        for (const char* key : {"load", "vision", "prefill", "decode", "first_token"}) {
            QVERIFY2(answer["seconds"].toObject()[key].toDouble(-1) >= 0, key);
        }
    }

    void theAnswerNamesTheAdapterAndTheHashOfItsFiles()
    {
        // rank 1, of zeros, beside one linear of 64 to 128
        const QString adapter = m_folder.filePath("colon");
        QVERIFY(QDir().mkpath(adapter));
        const QByteArray config =
            QJsonDocument(QJsonObject{{"peft_type", "LORA"}, {"lora_alpha", 2}}).toJson();
        const QString linear = "base_model.model.language_model.model.layers.0.self_attn.q_proj";
        const auto tensor = [](int rows, int columns, int begin) {
            return QJsonObject{{"dtype", "F32"},
                               {"shape", QJsonArray{rows, columns}},
                               {"data_offsets", QJsonArray{begin, begin + 4 * rows * columns}}};
        };
        QByteArray header =
            QJsonDocument(QJsonObject{{linear + ".lora_A.weight", tensor(1, 64, 0)},
                                      {linear + ".lora_B.weight", tensor(128, 1, 256)}})
                .toJson();
        header = header.leftJustified((header.size() + 7) / 8 * 8);
        QByteArray weights(8, 0);
        qToLittleEndian(quint64(header.size()), weights.data());
        weights += header + QByteArray(768, 0);
        const auto write = [&](const char* file, const QByteArray& bytes) {
            QFile out(adapter + '/' + file);
            return out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size();
        };
        QVERIFY(write("adapter_config.json", config));
        QString before;
        for (const char last : {0, 1}) {  // another weight, another hash
            weights.back() = last;
            QVERIFY(write("adapter_model.safetensors", weights));
            const QString report = m_folder.filePath("adapter.html");
            const Result result =
                kvl({"ask", "--model", m_model, "--adapter", adapter, "--dtype", "fp32",
                     "--max-new-tokens", "2", "--report", report, "--json", "What is this?"});
            QVERIFY2(result.status == 0, result.error);
            const QString hash = QString::fromLatin1(
                QCryptographicHash::hash(config + weights, QCryptographicHash::Sha256).toHex());
            QCOMPARE(result.json()["adapter"].toString(), adapter);
            QCOMPARE(result.json()["adapter_hash"].toString(), hash);
            QVERIFY(hash != before);
            QFile written(report);
            QVERIFY(written.open(QIODevice::ReadOnly));
            const QByteArray html = written.readAll();
            QVERIFY(html.contains(" + adapter colon") && html.contains(hash.toLatin1()));
            before = hash;
        }
        const Result bare = kvl({"ask", "--model", m_model, "--dtype", "fp32", "--max-new-tokens",
                                 "2", "--json", "What is this?"});
        QVERIFY(bare.json()["adapter"].toString("?").isEmpty());
        QVERIFY(bare.json()["adapter_hash"].toString("?").isEmpty());
        const Result scored = kvl({"score", "--model", m_model, "--adapter", adapter, "--dtype",
                                   "fp32", "--options", "yes|no", "--json", "Is it?"});
        QCOMPARE(scored.json()["adapter_hash"].toString(), before);
    }

    void logprobsAreOfEachNewToken()
    {
        const Result result =
            kvl({"ask", "--model", m_model, "--dtype", "fp32", "--max-new-tokens", "5",
                 "--repetition-penalty", "1.2", "--logprobs", "3", "--json", "What is this?"});
        QVERIFY2(result.status == 0, result.error);
        const QJsonArray ids = result.json()["new_ids"].toArray();
        const QJsonArray steps = result.json()["logprobs"].toArray();
        QCOMPARE(steps.size(), ids.size());
        for (int i = 0; i < steps.size(); ++i) {
            const QJsonObject step = steps[i].toObject();
            QCOMPARE(step["id"].toInt(), ids[i].toInt());
            const QJsonArray top = step["top"].toArray();
            QCOMPARE(top.size(), 3);
            QVERIFY(top[0].toObject()["logprob"].toDouble() >= step["logprob"].toDouble());
            QVERIFY(step["logprob"].toDouble() < 0);
        }
    }

    void scorePrintsATableOrOneObject()
    {
        const QStringList words{"score",       "--model",  m_model,       "--image", m_picture,
                                "--dtype",     "fp32",     "--max-tiles", "1",       "--options",
                                "yes|no, not", "--option", "a|b",         "Is it?"};
        const Result result = kvl(words + QStringList{"--json"});
        QVERIFY2(result.status == 0, result.error);
        const QJsonObject object = result.json();
        for (const char* key : {"prompt_ids", "options", "images", "cached_tokens", "seconds",
                                "device", "dtype", "model_hash"}) {
            QVERIFY2(object.contains(key), key);
        }
        const QJsonArray options = object["options"].toArray();
        QCOMPARE(options.size(), 3);
        QCOMPARE(options[1].toObject()["text"].toString(), "no, not");
        QCOMPARE(options[2].toObject()["text"].toString(), "a|b");
        double all = 0;
        for (const QJsonValue& one : options) {
            const QJsonArray logprobs = one["logprobs"].toArray();
            QCOMPARE(logprobs.size(), one["ids"].toArray().size());
            QVERIFY(!logprobs.isEmpty());
            double sum = 0;
            for (const QJsonValue& value : logprobs) {
                sum += value.toDouble();
            }
            QVERIFY(std::abs(one["sum"].toDouble() - sum) < 1e-9);
            QVERIFY(std::abs(one["mean"].toDouble() - sum / double(logprobs.size())) < 1e-9);
            all += one["probability"].toDouble();
        }
        QVERIFY(std::abs(all - 1) < 1e-9);
        const double odds = std::exp(options[0]["sum"].toDouble() - options[1]["sum"].toDouble());
        QVERIFY(std::abs(options[0]["probability"].toDouble() -
                         odds * options[1]["probability"].toDouble()) < 1e-9);

        const Result table = kvl(words);
        QVERIFY2(table.status == 0, table.error);
        QCOMPARE(table.out.count('\n'), 4);
        QVERIFY2(table.out.contains("  yes\n"), table.out);
        const Result whole = kvl(words + QStringList{"--json", "--end-of-turn"});
        QCOMPARE(whole.json()["options"].toArray().at(0)["ids"].toArray().size(),
                 options[0]["ids"].toArray().size() + 1);
    }

    void verifyPrintsATableAndOneLineForAReport()
    {
        const QStringList words{"verify", "--model", m_model, "--device",
                                "cpu",    "--dtype", "fp32",  "--quick"};
        const Result table = kvl(words);
        QVERIFY2(table.status == 0, table.out + table.error);
        QList<QByteArray> lines = table.out.trimmed().split('\n');
        const QByteArray line = lines.takeLast();
        QVERIFY2(line.startsWith("Engine verified: "), line);
        QVERIFY2(line.contains(" checks passed, ") && line.contains("; cpu, fp32; KVL Workbench "),
                 line);
        QVERIFY(lines.takeLast().isEmpty());
        const QByteArray head = lines.takeFirst();
        QVERIFY(head.startsWith("check "));
        for (const QByteArray column : {"seconds", "expected", "found"}) {
            QVERIFY(head.contains(column));
        }
        for (const QByteArray& row : lines) {  // the quick run leaves the weights out
            const bool weights = row.startsWith("this checkpoint: ") || row.startsWith("device: ");
            QVERIFY2(row.contains(weights ? "  not run  " : "  ok       "), row);
        }
        QVERIFY(table.out.contains("random checkpoint: thirteen tiles"));
        // what is done next, one line each
        QVERIFY2(table.error.startsWith("1 of "), table.error);

        const Result object = kvl(words + QStringList{"--json"});
        QCOMPARE(object.status, 0);
        QCOMPARE(object.json()["passed"].toBool(), true);
        QCOMPARE(object.json()["line"].toString().toUtf8(), line);
        const QJsonArray checks = object.json()["checks"].toArray();
        QCOMPARE(checks.size(), lines.size());
        for (const QJsonValue& check : checks) {
            QVERIFY(check["state"] == "passed" || check["state"] == "not_run");
            QVERIFY(!check["found"].toString().isEmpty());
        }
    }

    void verifyFailsWhereACheckFails()
    {
        const QByteArray before = qgetenv("TMPDIR");
        qputenv("TMPDIR", "/nowhere");  // no room for the random checkpoint
        const Result result =
            kvl({"verify", "--model", m_model, "--device", "cpu", "--dtype", "fp32", "--quick"});
        before.isNull() ? qunsetenv("TMPDIR") : qputenv("TMPDIR", before);
        QCOMPARE(result.status, 1);
        QCOMPARE(result.out.count("FAILED"), 3);
        QVERIFY2(result.out.contains("TMPDIR names a folder that is not there"), result.out);
        QVERIFY2(result.out.contains("\nEngine not verified: "), result.out);
    }

    void greedyAnswersRepeatAndAreStreamed()
    {
        const QStringList words{"ask",  "--model",          m_model, "--device", "cpu", "--dtype",
                                "fp32", "--max-new-tokens", "12",    "Hello"};
        const Result streamed = kvl(words);
        QVERIFY2(streamed.status == 0, streamed.error);
        const Result whole = kvl(words + QStringList{"--json"});
        QCOMPARE(QString::fromUtf8(streamed.out).simplified(),
                 whole.json()["text"].toString().simplified());
    }

    void regionsAreWhatTheModelGets()
    {
        const Result result =
            kvl({"ask", "--model", m_model, "--image", m_picture, "--region", "10,20,300,100",
                 "--max-tiles", "6", "--max-new-tokens", "1", "--json", "q"});
        QVERIFY2(result.status == 0, result.error);
        const QJsonObject image = result.json()["images"].toArray().at(0).toObject();
        QCOMPARE(image["width"].toInt(), 300);
        QCOMPARE(image["height"].toInt(), 100);
        QCOMPARE(image["grid"].toArray(), QJsonArray({3, 1}));
    }

    void historyComesBeforeTheQuestion()
    {
        const QString history = m_folder.filePath("history.json");
        QFile file(history);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(R"([["What is it?", "A gradient."]])");
        file.close();
        const QStringList words{"ask",     "--model",     m_model, "--image",
                                m_picture, "--max-tiles", "1",     "--max-new-tokens",
                                "1",       "--json"};
        const Result without = kvl(words + QStringList{"And now?"});
        const Result with = kvl(words + QStringList{"--history", history, "And now?"});
        QVERIFY2(with.status == 0, with.error);
        QVERIFY(with.json()["prompt_ids"].toArray().size() >
                without.json()["prompt_ids"].toArray().size());

        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("[[1]]");
        file.close();
        const Result broken = kvl(words + QStringList{"--history", history, "And now?"});
        QCOMPARE(broken.status, 1);
        QVERIFY2(broken.error.contains("is no history"), broken.error);
    }

    void picturesGoToTheMarksOfTheHistory()
    {
        const QString history = m_folder.filePath("marks.json");
        QFile file(history);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(R"([["Look: <image>", "A gradient."]])");
        file.close();
        // the second picture has no mark and goes to the question
        const Result result =
            kvl({"ask", "--model", m_model, "--image", m_picture, "--image", m_picture,
                 "--max-tiles", "1", "--history", history, "--dry-run", "--json", "And this?"});
        QVERIFY2(result.status == 0, result.error);
        const Result typed = kvl({"ask", "--model", m_model, "--image", m_picture, "--image",
                                  m_picture, "--max-tiles", "1", "--history", history, "--dry-run",
                                  "--json", "Image-2: <image>\nAnd this?"});
        QCOMPARE(result.json(), typed.json());
        QCOMPARE(result.json()["images"].toArray().size(), 2);
    }

    void framesAreNamedAndCostOneTileEach_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("video") << "endoscopy/zoom.mp4";
        QTest::newRow("multi-frame DICOM") << "dicom/emri_small.dcm";
    }

    void framesAreNamedAndCostOneTileEach()
    {
        QFETCH(QString, name);
        const QString file = dataFile(name);
        if (file.isEmpty()) {
            QSKIP(test::missingSharedData);
        }
        const Result result = kvl({"ask", "--model", m_model, "--image", file, "--frames", "1-7:3",
                                   "--max-new-tokens", "2", "--json", "What happens?"});
        QVERIFY2(result.status == 0, result.error);
        const QJsonArray images = result.json()["images"].toArray();
        QCOMPARE(images.size(), 3);
        for (int i = 0; i < 3; ++i) {
            const QJsonObject image = images[i].toObject();
            QCOMPARE(image["file"].toString(), file);
            QCOMPARE(image["frame"].toInt(), 1 + 3 * i);
            QVERIFY(!image["label"].toString().isEmpty());
            QCOMPARE(image["tiles"].toInt(), 1);
        }
        const Result past = kvl({"ask", "--model", m_model, "--image", file, "--frames",
                                 "0-1000:500", "--dry-run", "q"});
        QCOMPARE(past.status, 1);
        QVERIFY2(past.error.contains("--frames up to 1000 is past the last one"), past.error);
    }

    void dryRunNeedsNoWeightsAndSaysWhatFits()
    {
        const QString folder = m_folder.filePath("without-weights");
        QVERIFY(QDir().mkpath(folder));
        for (const QString& name : QDir(m_model).entryList(QDir::Files)) {
            if (!name.endsWith(".safetensors")) {
                QVERIFY(QFile::copy(m_model + '/' + name, folder + '/' + name));
            }
        }
        const QStringList words{"ask",       "--model",         folder, "--image", m_picture,
                                "--dry-run", "--max-new-tokens"};
        const Result fits = kvl(words + QStringList{"100", "--json", "What is this?"});
        QVERIFY2(fits.status == 0, fits.error);
        const QJsonObject ledger = fits.json();
        QCOMPARE(ledger["image_tokens"].toInt(), 13 * 256);
        QCOMPARE(ledger["prompt_tokens"].toInt(),
                 ledger["system"].toInt() + ledger["history"].toInt() +
                     ledger["image_tokens"].toInt() + ledger["question"].toInt());
        QCOMPARE(ledger["over"].toInt(), 0);
        const Result real = kvl({"ask", "--model", m_model, "--image", m_picture,
                                 "--max-new-tokens", "1", "--json", "What is this?"});
        QCOMPARE(ledger["prompt_tokens"].toInt(), real.json()["prompt_ids"].toArray().size());

        const Result over = kvl(words + QStringList{"8000", "What is this?"});
        QCOMPARE(over.status, 1);
        QVERIFY2(over.out.contains("13 tiles"), over.out);
        QVERIFY2(over.error.contains("new tokens fit"), over.error);
    }

    void stopStringsEndTheAnswer()
    {
        const QStringList words{"ask",  "--model",          m_model, "--device", "cpu", "--dtype",
                                "fp32", "--max-new-tokens", "12",    "Hello"};
        const Result whole = kvl(words + QStringList{"--json"});
        const QString text = whole.json()["text"].toString();
        const QString word = text.mid(text.size() / 2, 2);
        const Result cut =
            kvl(words + QStringList{"--stop", "never said", "--stop", word, "--json"});
        QVERIFY2(cut.status == 0, cut.error);
        QCOMPARE(cut.json()["stop"].toString(), "stop_string");
        QCOMPARE(cut.json()["text"].toString(), text.left(text.indexOf(word)).trimmed());
        QCOMPARE(kvl(words + QStringList{"--stop", ""}).status, 2);
    }

    void interruptKeepsWhatThereIs()
    {
        QProcess process;
        process.start(KVL_PROGRAM,
                      {"ask", "--model", m_model, "--max-new-tokens", "3000", "Go on"});
        QVERIFY(process.waitForReadyRead(30'000));  // the first piece of the answer
        const QByteArray before = process.readAllStandardOutput();
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(5000));
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        QCOMPARE(process.exitCode(), 130);
        QVERIFY(!before.isEmpty());
        QVERIFY(process.readAllStandardOutput().endsWith('\n'));
    }

    void reportsAreSaved_data()
    {
        QTest::addColumn<QString>("suffix");
        QTest::addColumn<QByteArray>("head");
        QTest::newRow("pdf") << "pdf" << QByteArray("%PDF-");
        QTest::newRow("html") << "html" << QByteArray("<!DOCTYPE html>");
    }

    void reportsAreSaved()
    {
        QFETCH(QString, suffix);
        QFETCH(QByteArray, head);
        const QString file = m_folder.filePath("report." + suffix);
        const Result result =
            kvl({"ask", "--model", m_model, "--image", m_picture, "--max-tiles", "1",
                 "--max-new-tokens", "4", "--report", file, "What is this?"});
        QVERIFY2(result.status == 0, result.error);
        QFile report(file);
        QVERIFY(report.open(QIODevice::ReadOnly));
        const QByteArray bytes = report.readAll();
        QVERIFY(bytes.left(64).toLower().contains(head.toLower()));
        QVERIFY(bytes.size() > 5000);
    }

    void aReportSaysAllOfTheQuestion()
    {
        const QString file = m_folder.filePath("whole.html"), history = m_folder.filePath("h.json");
        QFile turns(history);
        QVERIFY(turns.open(QIODevice::WriteOnly));
        turns.write("[[\"Which organ?\", \"The liver.\"]]");
        turns.close();
        const Result result =
            kvl({"ask",         "--model",       m_model, "--image",          m_picture, "--region",
                 "0,0,200,100", "--temperature", "1",     "--min-p",          "0.1",     "--system",
                 "Be brief.",   "--history",     history, "--max-new-tokens", "4",       "--report",
                 file,          "And where?"});
        QVERIFY2(result.status == 0, result.error);
        QFile report(file);
        QVERIFY(report.open(QIODevice::ReadOnly));
        const QString text = QString::fromUtf8(report.readAll());
        for (const char* part :
             {"Which organ?", "The liver.", "given as history, not computed here", "And where?",
              "own: Be brief.", "min-p 0.1", "the dashed region, x 0, y 0, 200 × 100 px",
              "2 × 1 tiles + thumbnail · 768 tokens", "Not for clinical use"}) {
            QVERIFY2(text.contains(QString::fromUtf8(part)), part);
        }
        QVERIFY(text.indexOf("<figure>") < text.lastIndexOf("And where?"));  // the first question's
    }

    void aReportThatCannotBeWrittenCostsNoAnswer()
    {
        for (const QString& name :
             {m_folder.filePath("report.docx"), m_folder.filePath("nowhere/report.pdf")}) {
            const Result result = kvl({"ask", "--model", m_model, "--report", name, "q"});
            QCOMPARE(result.status, 1);
            QVERIFY(result.out.isEmpty());
            QVERIFY2(result.error.contains("can't be written"), result.error);
            QCOMPARE(result.error.count('\n'), 1);
        }
    }

    void tilesAreTheReferencesOnRealFiles_data()
    {
        QTest::addColumn<QStringList>("row");
        QFile file(KVL_TEST_DATA "/cli_tiles.csv");
        QVERIFY(file.open(QIODevice::ReadOnly));
        file.readLine();
        while (!file.atEnd()) {
            const QStringList row = QString::fromUtf8(file.readLine()).trimmed().split(',');
            QTest::newRow(qPrintable(row[0] + " max " + row[1])) << row;
        }
    }

    void tilesAreTheReferencesOnRealFiles()
    {
        QFETCH(QStringList, row);
        const QString file = dataFile(row[0]);
        if (file.isEmpty()) {
            QSKIP(test::missingSharedData);
        }
        const QTemporaryDir out;
        const Result result =
            kvl({"tiles", file, "--out", out.path(), "--max-tiles", row[1], "--json"});
        QVERIFY2(result.status == 0, result.error);
        const QJsonObject object = result.json();
        QCOMPARE(object["width"].toInt(), row[2].toInt());
        QCOMPARE(object["height"].toInt(), row[3].toInt());
        QCOMPARE(object["grid"].toArray(), QJsonArray({row[4].toInt(), row[5].toInt()}));
        const QStringList names =
            QDir(out.path()).entryList({"tile-*.png"}, QDir::Files, QDir::Name);
        QCOMPARE(names.size(), row[6].toInt());
        QCryptographicHash hash(QCryptographicHash::Sha256);
        for (const QString& name : names) {
            const QImage tile = QImage(out.filePath(name)).convertToFormat(QImage::Format_RGB888);
            QCOMPARE(tile.size(), QSize(448, 448));
            for (int y = 0; y < tile.height(); ++y) {
                hash.addData(
                    QByteArray::fromRawData(reinterpret_cast<const char*>(tile.constScanLine(y)),
                                            qsizetype(3) * tile.width()));
            }
        }
        QCOMPARE(hash.result().toHex(), row[7].toLatin1());
    }

    void tokenizeReadsStandardInput()
    {
        const Result ids = kvl({"tokenize", "--model", m_model}, "a b");
        QVERIFY2(ids.status == 0, ids.error);
        const QJsonArray array = QJsonDocument::fromJson(ids.out).array();
        QVERIFY(array.size() >= 2);
        const Result lines = kvl({"tokenize", "--model", m_model, "--jsonl"}, "\"a b\"\n\"\"\n");
        QCOMPARE(lines.out, ids.out + "[]\n");

        const Result asText = kvl({"tokenize", "--model", m_model}, "<|im_end|>");
        const Result control = kvl({"tokenize", "--model", m_model, "--control"}, "<|im_end|>");
        QCOMPARE(QJsonDocument::fromJson(control.out).array().size(), 1);
        QVERIFY(QJsonDocument::fromJson(asText.out).array().size() > 1);

        const Result bad = kvl({"tokenize", "--model", m_model, "--jsonl"}, "\"a\"\nnot json\n");
        QCOMPARE(bad.status, 1);
        QVERIFY2(bad.error.contains("line 2"), bad.error);
    }

    void infoTellsWhatAThingIs()
    {
        const QJsonObject picture = kvl({"info", m_picture, "--json"}).json();
        QCOMPARE(picture["width"].toInt(), 500);
        QCOMPARE(picture["frames"].toInt(), 1);
        const QJsonObject model = kvl({"info", m_model, "--json"}).json();
        QCOMPARE(model["kind"].toString(), "checkpoint");
        QCOMPARE(model["architecture"].toString(), "InternVLChatModel");
        QVERIFY(model["parameters"].toInteger() > 1000);
    }

    void infoOpensEveryKind_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("frames");
        QTest::newRow("CT") << "dicom/CT_small.dcm" << 1;
        QTest::newRow("multi-frame") << "dicom/emri_small.dcm" << 10;
        QTest::newRow("PDF") << "pdf/simple-multipage.pdf" << -1;
        QTest::newRow("video") << "endoscopy/zoom.mp4" << 150;
    }

    void infoOpensEveryKind()
    {
        QFETCH(QString, name);
        QFETCH(int, frames);
        const QString file = dataFile(name);
        if (file.isEmpty()) {
            QSKIP(test::missingSharedData);
        }
        const Result result = kvl({"info", file, "--json"});
        QVERIFY2(result.status == 0, result.error);
        const int found = result.json()["frames"].toInt();
        if (frames > 0) {
            QCOMPARE(found, frames);
        } else {
            QVERIFY(found > 1);
        }
    }

    void miniDataIsTheSameFromEveryRunAndThread()
    {
        const auto made = [&](const QString& name, const QString& threads) {
            const QString folder = m_folder.filePath(name);
            const Result result = kvl({"make-mini-data", "--out", folder, "--count", "6", "--seed",
                                       "5", "--threads", threads});
            return result.status == 0 ? folder : QString();
        };
        const QString one = made("mini-1", "1"), many = made("mini-3", "3");
        QVERIFY(!one.isEmpty() && !many.isEmpty());
        const auto read = [](const QString& name) {
            QFile file(name);
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        const QByteArray rows = read(one + "/conversations.jsonl");
        QVERIFY(rows.count('\n') > 6);
        QCOMPARE(read(many + "/conversations.jsonl"), rows);
        for (const QByteArray& line : rows.trimmed().split('\n')) {
            const QJsonObject row = QJsonDocument::fromJson(line).object();
            const QImage image(one + '/' + row["image"].toString());
            QCOMPARE(image.size(), QSize(row["width"].toInt(), row["height"].toInt()));
            QCOMPARE(image, QImage(many + '/' + row["image"].toString()));
        }
    }

    void evalMiniGradesTheAnswersOfTheGeneratorRight()
    {
        const QString folder = m_folder.filePath("mini-truth");
        QCOMPARE(kvl({"make-mini-data", "--out", folder, "--count", "40", "--seed", "77",
                      "--questions", "1"})
                     .status,
                 0);
        QFile rows(folder + "/conversations.jsonl");
        QVERIFY(rows.open(QIODevice::ReadOnly));
        QFile answers(folder + "/answers.jsonl"), wrong(folder + "/wrong.jsonl");
        QVERIFY(answers.open(QIODevice::WriteOnly) && wrong.open(QIODevice::WriteOnly));
        for (const QByteArray& line : rows.readAll().trimmed().split('\n')) {
            const QJsonArray turns =
                QJsonDocument::fromJson(line).object()["conversations"].toArray();
            QByteArray list = QJsonDocument(QJsonArray{turns[1].toObject()["value"]})
                                  .toJson(QJsonDocument::Compact);
            answers.write(list.mid(1, list.size() - 2) + '\n');
            wrong.write("\"I do not know\"\n");
        }
        answers.close();
        wrong.close();
        const auto grade = [&](const QFile& file) {
            return kvl({"eval-mini", "--answers", file.fileName(), "--count", "40", "--seed", "77",
                        "--json"})
                .json();
        };
        const QJsonObject right = grade(answers);
        QCOMPARE(right["count"].toInt(), 40);
        QCOMPARE(right["overall"].toDouble(), 1.0);
        QCOMPARE(right["boxes_iou50"].toDouble(), right["boxes"].toInt() > 0 ? 1.0 : 0.0);
        QVERIFY(right["kinds"].toObject().size() > 5);
        QVERIFY(right["prior"].toDouble() < 1);
        QCOMPARE(grade(wrong)["overall"].toDouble(), 0.0);
    }

    void aModelThatCameAlongAnswersAndSaysWhatItIs()
    {
        const QString resources = m_folder.filePath("resources");
        const QString model = resources + "/models/kvl-mini";
        QVERIFY(QDir().mkpath(resources + "/models"));
        QCOMPARE(
            runProgram(KVL_MAKE_CHECKPOINT,
                       {"--shape", "tiny", "--tokenizer", KVL_TEST_DATA "/tokenizer-small", model})
                .status,
            0);
        QFile config(model + "/config.json");
        QVERIFY(config.open(QIODevice::ReadWrite));
        QJsonObject values = QJsonDocument::fromJson(config.readAll()).object();
        values["kvl_demonstration"] = "synthetic images only";
        values["max_dynamic_patch"] = 4;
        config.resize(0);
        config.write(QJsonDocument(values).toJson());
        config.close();

        qputenv("KVL_RESOURCES", resources.toLocal8Bit());
        const QStringList question{"ask", "--image", m_picture,      "--max-new-tokens",
                                   "3",   "--json",  "What is this?"};
        const Result bundled = kvl(question);
        qputenv("KVL_RESOURCES", m_folder.filePath("none").toLocal8Bit());
        const QByteArray mark = "Demonstration model: synthetic images only";
        QVERIFY2(bundled.status == 0, bundled.error);
        QCOMPARE(bundled.error.count(mark), 1);
        QVERIFY(bundled.json()["demonstration"].toBool());
        // as many tiles as it was trained with, at most
        QVERIFY(bundled.json()["images"].toArray()[0].toObject()["tiles"].toInt() <= 5);

        // a copy keeps the mark, in what is said and in the report
        const QString copy = m_folder.filePath("copied"), report = m_folder.filePath("marked.html");
        QVERIFY(QDir().rename(model, copy));
        const Result copied = kvl(question + QStringList{"--model", copy, "--report", report});
        QCOMPARE(copied.error.count(mark), 1);
        QFile html(report);
        QVERIFY(html.open(QIODevice::ReadOnly));
        QVERIFY(html.readAll().contains(mark));

        const Result own = kvl(question + QStringList{"--model", m_model});
        QVERIFY2(own.status == 0, own.error);
        QVERIFY(!own.error.contains("Demonstration") && !own.json()["demonstration"].toBool());
    }

    void evalMiniAsksAModel()
    {
        for (const QStringList& more : {QStringList{}, QStringList{"--grey"}}) {
            const Result result = kvl(QStringList{"eval-mini", "--model", m_model, "--count", "1",
                                                  "--max-new-tokens", "4", "--json"} +
                                      more);
            QVERIFY2(result.status == 0, result.error);
            QCOMPARE(result.json()["count"].toInt(), 1);
        }
        QCOMPARE(kvl({"eval-mini", "--count", "2"}).status, 2);
    }

    void theTokenizerOfMiniIsTrainedAndReads()
    {
        const QString folder = m_folder.filePath("mini-tokenizer");
        const Result made =
            kvl({"make-mini-tokenizer", "--out", folder, "--pictures", "60", "--pieces", "900"});
        QVERIFY2(made.status == 0, made.error);
        const Result ids = kvl({"tokenize", "--model", folder, "--control"}, " 31 44<box>");
        QCOMPARE(QJsonDocument::fromJson(ids.out).array().size(), 3);
    }

    void aMiniModelIsMadeWarmedUpTaughtAndGoesOnWhereItStopped()
    {
        const QString tokenizer = m_folder.filePath("warm-tokenizer");
        QCOMPARE(
            kvl({"make-mini-tokenizer", "--out", tokenizer, "--pictures", "60", "--pieces", "900"})
                .status,
            0);
        const QString start = m_folder.filePath("mini-start"), warm = m_folder.filePath("warm"),
                      taught = m_folder.filePath("taught");
        const Result made = kvl({"make-mini-model", "--tokenizer", tokenizer, "--out", start});
        QVERIFY2(made.status == 0, made.error);
        const QStringList dense{"train",   "--model", start, "--mini",       "40", "--out",   warm,
                                "--dense", "--steps", "3",   "--save-every", "2",  "--batch", "2"};
        const Result first = kvl(dense);
        QVERIFY2(first.status == 0, first.error);
        const QByteArray whole = bytesOf(warm + "/model.safetensors");
        QVERIFY(!whole.contains("dense."));  // what helped is no part of the model
        // from the second step on: the head's weights were kept
        QVERIFY(QFile::remove(warm + "/model.safetensors"));
        const QString from = "--resume=" + warm + "/checkpoint-000002";
        const Result again = kvl(dense + QStringList{from});
        QVERIFY2(again.status == 0, again.error);
        QVERIFY(bytesOf(warm + "/model.safetensors") == whole);

        const Result other = kvl(dense + QStringList{from, "--mini-seed", "2"});
        QCOMPARE(other.status, 1);
        QVERIFY2(other.error.contains("with mini-seed \"1\" where now \"2\""), other.error);

        const Result words =
            kvl({"train", "--model", warm, "--mini", "40", "--out", taught, "--steps", "2",
                 "--batch", "2", "--dense-share", "0.1", "--bf16-products"});
        QVERIFY2(words.status == 0, words.error);
        QCOMPARE(
            kvl({"eval-mini", "--model", taught, "--count", "1", "--max-new-tokens", "8"}).status,
            0);
    }

    void theDenseWarmUpNeedsDrawnPictures()
    {
        const Result result = kvl({"train", "--model", m_model, "--data", "x.jsonl", "--out",
                                   m_folder.filePath("no"), "--dense"});
        QCOMPARE(result.status, 2);
        QVERIFY2(result.error.contains("--dense needs --mini"), result.error);
    }

    void encryptedPapersOpenWithTheirPassword()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        const QString paper = dataFile("pdf/encrypted-aes256.pdf");
        const QByteArray secret = "kvl-test";
        const Result missing = kvl({"info", paper});
        QCOMPARE(missing.status, 1);
        QVERIFY2(missing.error.contains("is encrypted and needs its password. --password takes it"),
                 missing.error);
        const Result wrong = kvl({"info", paper, "--password", "not-this-one"});
        QCOMPARE(wrong.status, 1);
        QVERIFY2(wrong.error.contains("This password does not open"), wrong.error);
        QVERIFY(!wrong.error.contains("not-this-one"));
        const Result open = kvl({"info", "--json", "--password", secret, paper});
        QCOMPARE(open.status, 0);
        QCOMPARE(open.json()["frames"].toInt(), 30);
        QVERIFY(!open.out.contains(secret));
        const Result piped = kvl({"info", "--json", "--password", "-", paper}, secret + "\n");
        QCOMPARE(piped.json()["frames"].toInt(), 30);
        QVERIFY(!piped.error.contains(secret));
        const Result none = kvl({"info", "--password", "-", paper});
        QCOMPARE(none.status, 1);
        QVERIFY2(none.error.contains("no password came from standard input"), none.error);
        QCOMPARE(
            kvl({"tiles", paper, "--out", m_folder.filePath("paper-tiles"), "--password", secret})
                .status,
            0);

        // Each picture has its own; the report holds the page and not the password.
        const QString report = m_folder.filePath("paper.html");
        const Result asked = kvl({"ask", "--model", m_model, "--image", m_picture, "--image", paper,
                                  "--password", secret, "--max-new-tokens", "2", "--max-tiles", "1",
                                  "--json", "--report", report, "What?"});
        QVERIFY2(asked.status == 0, asked.error);
        QVERIFY(!asked.out.contains(secret) && !asked.error.contains(secret));
        QFile html(report);
        QVERIFY(html.open(QIODevice::ReadOnly));
        const QByteArray page = html.readAll();
        QCOMPARE(page.count("<img "), 2);
        QVERIFY(!page.contains("Picture missing"));
        QVERIFY(!page.contains(secret));
    }

    void passwordIsNotInTheListOfProcesses()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        QProcess process;  // the second password is waited for, so that the program stays
        process.start(KVL_PROGRAM,
                      {"info", "--password=first-secret", "--password", "-", m_picture});
        QVERIFY(process.waitForStarted());
        QFile list(QStringLiteral("/proc/%1/cmdline").arg(process.processId()));
        const auto commandLine = [&] {
            list.close();
            return list.open(QIODevice::ReadOnly) ? list.readAll() : QByteArray();
        };
        QTRY_VERIFY(commandLine().contains("--password=************"));
        QVERIFY(!commandLine().contains("first-secret"));
        process.closeWriteChannel();
        QVERIFY(process.waitForFinished());
    }

    void pictureWithAWrongChecksumIsRefusedInOneLine()
    {
        QFile whole(m_picture);
        QVERIFY(whole.open(QIODevice::ReadOnly));
        QByteArray bytes = whole.readAll();
        const qsizetype at = bytes.indexOf("IDAT") + 40;
        bytes[at] = char(bytes[at] ^ 1);
        QFile changed(m_folder.filePath("changed.png"));
        QVERIFY(changed.open(QIODevice::WriteOnly));
        changed.write(bytes);
        changed.close();
        const Result result = kvl({"info", changed.fileName()});
        QCOMPARE(result.status, 1);
        QCOMPARE(result.error.count('\n'), 1);
        QVERIFY2(result.error.contains("the checksum of its IDAT chunk is wrong"), result.error);
    }

private:
    static QByteArray bytesOf(const QString& path)
    {
        QFile file(path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

    QTemporaryDir m_folder;
    QString m_model, m_picture;
};

QTEST_GUILESS_MAIN(CliTest)
#include "cli_test.moc"
