#include "ui/view/icons.h"

#include "ui/view/theme.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QSvgRenderer>

namespace ui {

namespace {

/// Two tones: #232629 in the file becomes the text colour, #3daee9 the accent.
class TwoToneEngine : public QIconEngine {
public:
    explicit TwoToneEngine(QByteArray svg)
        : m_svg(std::move(svg))
    {
    }

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override
    {
        const Theme& theme = currentTheme();
        const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
        QByteArray svg = m_svg;
        svg.replace("#232629", theme.palette.color(group, QPalette::ButtonText).name().toLatin1());
        svg.replace("#3daee9",
                    (mode == QIcon::Disabled ? theme.separator : theme.accent).name().toLatin1());
        QSvgRenderer renderer(svg);
        renderer.render(painter, rect);
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect({}, size), mode, state);
        return pixmap;
    }

    QIconEngine* clone() const override { return new TwoToneEngine(*this); }

private:
    QByteArray m_svg;
};

}  // namespace

QIcon icon(const QString& name)
{
    if (!name.startsWith(QLatin1String("kvl-"))) {
        return QIcon::fromTheme(name);
    }
    QFile file(":/icons/" + name + ".svg");
    if (!file.open(QIODevice::ReadOnly)) {
        return {};
    }
    return QIcon(new TwoToneEngine(file.readAll()));
}

}  // namespace ui
