#include "ui/view/theme.h"

#include "ui/view/icons.h"

#include <QApplication>
#include <QTest>

class ThemeTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void contrastIsWcags()
    {
        // WebAIM's checker: #777777 on white 4.48:1, black on white 21:1.
        QVERIFY(std::abs(ui::contrastRatio(QColor("#777777"), Qt::white) - 4.48) < 0.01);
        QVERIFY(std::abs(ui::contrastRatio(Qt::white, Qt::black) - 21) < 1e-6);
    }

    void textCanBeRead_data() { themeRows(); }
    void textCanBeRead()
    {
        QFETCH(QString, name);
        const ui::Theme& t = ui::theme(name);
        const QPalette& p = t.palette;
        const QColor window = p.color(QPalette::Window);
        const QList<QColor> grounds{window, t.pane, t.raised};
        const QList<QPair<const char*, QColor>> texts{
            {"text", p.color(QPalette::Text)},
            {"window text", p.color(QPalette::WindowText)},
            {"button text", p.color(QPalette::ButtonText)},
            {"placeholder", p.color(QPalette::PlaceholderText)},
            {"secondary", t.secondaryText},
            {"link", p.color(QPalette::Link)},
            {"accent", t.accent},
            {"warning", t.warning},
            {"error", t.error},
            {"good", t.good}};
        for (const QColor& ground : grounds) {
            for (const auto& [what, colour] : texts) {
                const double ratio = ui::contrastRatio(colour, ground);
                QVERIFY2(ratio >= 4.5,
                         qPrintable(QString("%1 %2 on %3: %4")
                                        .arg(what, colour.name(), ground.name())
                                        .arg(ratio)));
            }
        }
        QVERIFY(ui::contrastRatio(p.color(QPalette::HighlightedText),
                                  p.color(QPalette::Highlight)) >= 4.5);
        QVERIFY(ui::contrastRatio(p.color(QPalette::ToolTipText), p.color(QPalette::ToolTipBase)) >=
                4.5);
    }

    void controlsCanBeSeen_data() { themeRows(); }
    void controlsCanBeSeen()
    {
        QFETCH(QString, name);
        const ui::Theme& t = ui::theme(name);
        for (const QColor& ground : {t.palette.color(QPalette::Window), t.pane, t.raised}) {
            QVERIFY2(ui::contrastRatio(t.outline, ground) >= 3, qPrintable(ground.name()));
            for (const auto role : {QPalette::ButtonText, QPalette::Text}) {
                QVERIFY(ui::contrastRatio(t.palette.color(QPalette::Disabled, role), ground) >= 3);
            }
        }
        for (const QColor& finding : t.findings) {
            QVERIFY(ui::contrastRatio(finding, t.viewport) >= 4.5);
        }
    }

    void findingsCanBeReadAsText_data() { themeRows(); }
    void findingsCanBeReadAsText()
    {
        QFETCH(QString, name);
        ui::applyTheme(*qApp, ui::theme(name));
        for (int i = 0; i < 7; ++i) {
            QVERIFY(ui::contrastRatio(ui::findingTextColor(i), ui::currentTheme().raised) >= 4.5);
        }
    }

    void tablesColoursAreThosePublished()
    {
        QCOMPARE(ui::theme("dark").palette.color(QPalette::Window).name(), QString("#17191c"));
        QCOMPARE(ui::theme("dark").pane.name(), QString("#1e2125"));
        QCOMPARE(ui::theme("light").accent.name(), QString("#1666a8"));
        QCOMPARE(ui::theme("contrast").accent.name(), QString("#00d0ff"));
        QCOMPARE(ui::theme("dark").findings.first().name(), QString("#ffb454"));
    }

    void unknownNamesAreDark() { QCOMPARE(ui::theme("no such theme").name, QString("dark")); }

    void styleSheetsHaveNoNamesLeft_data() { themeRows(); }
    void styleSheetsHaveNoNamesLeft()
    {
        QFETCH(QString, name);
        QVERIFY(!ui::theme(name).styleSheet.contains('@'));
    }

    // Breeze has coloured pictures of places and devices in its larger sizes.
    void iconsOfActionsHaveNoColourOfTheirOwn_data()
    {
        QTest::addColumn<QString>("name");
        for (const char* name :
             {"document-open", "document-open-folder", "document-import", "document-export",
              "document-open-recent", "document-new", "document-send", "zoom-fit-best",
              "color-mode-invert-image", "contrast", "view-refresh", "edit-copy"}) {
            QTest::newRow(name) << QString::fromLatin1(name);
        }
    }
    void iconsOfActionsHaveNoColourOfTheirOwn()
    {
        QFETCH(QString, name);
        ui::applyTheme(*qApp, ui::theme("dark"));
        for (const int side : {16, 22, 33, 44}) {  // 100, 150 and 200 %
            const QImage image = ui::icon(name).pixmap(side, side).toImage();
            QVERIFY(!image.isNull());
            for (int y = 0; y < image.height(); ++y) {
                for (int x = 0; x < image.width(); ++x) {
                    const QColor pixel = image.pixelColor(x, y);
                    QVERIFY2(pixel.alpha() < 32 || pixel.hsvSaturation() < 60,
                             qPrintable(QString("%1 at %2 px").arg(pixel.name()).arg(side)));
                }
            }
        }
    }

    void ownIconsFollowTheTheme()
    {
        const QIcon icon = ui::icon("kvl-tiles");
        ui::applyTheme(*qApp, ui::theme("dark"));
        const QImage dark = icon.pixmap(22, 22).toImage();
        ui::applyTheme(*qApp, ui::theme("light"));
        const QImage light = icon.pixmap(22, 22).toImage();
        QCOMPARE(dark.pixelColor(11, 11), QColor("#5aa9e6"));
        QCOMPARE(light.pixelColor(11, 11), QColor("#1666a8"));
    }

private:
    void themeRows()
    {
        QTest::addColumn<QString>("name");
        for (const ui::Theme& t : ui::themes()) {
            QTest::newRow(qPrintable(t.name)) << t.name;
        }
    }
};

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"
