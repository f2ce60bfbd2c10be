using System.Globalization;
using System.Text.Encodings.Web;

namespace CloudPeer.Api.Hosting.Pages;

/// <summary>The pages' files, which are part of the assembly. <c>{{name}}</c> stands for text that is encoded when it is put in.</summary>
internal static class PageText
{
    private static readonly string StartTemplate = Read("start.html");
    private static readonly string ProblemTemplate = Read("problem.html");

    public static string Style { get; } = Read("style.css");

    public static string Start(IReadOnlyDictionary<string, string> values) => Fill(StartTemplate, values);

    public static string Problem(int status, string title) => Fill(
        ProblemTemplate,
        new Dictionary<string, string>(StringComparer.Ordinal) { ["status"] = status.ToString(CultureInfo.InvariantCulture), ["title"] = title });

    private static string Fill(string template, IReadOnlyDictionary<string, string> values) => values.Aggregate(
        template,
        (text, value) => text.Replace($"{{{{{value.Key}}}}}", HtmlEncoder.Default.Encode(value.Value), StringComparison.Ordinal));

    private static string Read(string name)
    {
        using var stream = typeof(PageText).Assembly.GetManifestResourceStream(typeof(PageText), name)
            ?? throw new InvalidOperationException($"{name} is not part of the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
