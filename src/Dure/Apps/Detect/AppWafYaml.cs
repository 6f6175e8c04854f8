using Dure.Edge.Waf;
using Dure.Host.Texts;

namespace Dure.Apps.Detect;

/// <summary>Reads <c>waf:</c> of <c>app.yaml</c>: a word, or its mode, paranoia level and exclusions.</summary>
internal static class AppWafYaml
{
    private static readonly (string Word, WafMode Value)[] Modes = [("off", WafMode.Off), ("detect", WafMode.Detect), ("block", WafMode.Block)];

    public static AppWaf? Read(YamlFields fields)
    {
        if (fields.Node("waf") is not { } node)
            return null;
        if (node is not YamlMap map)
            return fields.Choice("waf", Modes) is { } word ? new(word, null, []) : null;
        var inner = fields.Map("waf", map)!;
        var waf = new AppWaf(inner.Choice("mode", Modes), inner.Number("paranoia", 1, 4), Exclusions(inner));
        inner.RefuseUnknown();
        return waf;
    }

    private static List<string> Exclusions(YamlFields fields)
    {
        var read = new List<string>();
        if (fields.Node("exclude") is not { } node)
            return read;
        foreach (var item in node is YamlList list ? list.Items : [node])
        {
            if (item is YamlText text && WafExclusion.TryParse(text.Text, "/", out _))
                read.Add(text.Text.Trim());
            else
                fields.Fault(item, $"`waf.exclude` must be a list of {WafExclusion.Form}; paths that do not begin with a slash are below the app's");
        }

        return read;
    }
}
