namespace CloudPeer.TestKit;

/// <summary>A row about a call on the page.</summary>
/// <param name="Service">The service.</param>
/// <param name="Call">The call.</param>
/// <param name="NeedsSession">What the page says of it.</param>
/// <param name="Shape">What goes in and comes out, <c>stream A -> B</c>.</param>
/// <param name="Reasons">The reasons in kebab-case with which it is refused.</param>
public sealed record ApiCall(string Service, string Call, bool NeedsSession, string Shape, IReadOnlyList<string> Reasons);

/// <summary>What <c>docs/protocol/api.md</c> says, for the tests that compare it with the code.</summary>
public sealed class ApiPage
{
    private const string General = "4", Services = "5", Messages = "6";
    private readonly List<(string Section, string Heading, string[] Cells)> _rows = [];

    private ApiPage(IEnumerable<string> lines)
    {
        var (section, heading) = ("", "");
        foreach (var line in lines)
        {
            if (line.StartsWith("## ", StringComparison.Ordinal)) (section, heading) = (line[3..].Split('.')[0], "");
            else if (line.StartsWith("### ", StringComparison.Ordinal)) _headings.Add((section, heading = line[4..]));
            else if (line.StartsWith("| ", StringComparison.Ordinal)) _rows.Add((section, heading, line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries)));
        }
    }

    private readonly List<(string Section, string Heading)> _headings = [];

    /// <summary>Every call.</summary>
    public IEnumerable<ApiCall> Calls =>
        from row in RowsOf(Services)
        let cells = row.Cells
        where cells.Length == 6
        select new ApiCall(row.Heading, Plain(cells[0]), cells[1] is "yes", $"{Plain(cells[2])} -> {Plain(cells[3])}", Quoted(cells[5]));

    /// <summary>Every message.</summary>
    public IEnumerable<string> MessageNames => _headings.Where(heading => heading.Section is Messages).Select(heading => heading.Heading);

    /// <summary>Every field, <c>Message.field = number: type</c>.</summary>
    public IEnumerable<string> Fields =>
        from row in RowsOf(Messages) where row.Cells.Length == 4 select $"{row.Heading}.{Plain(row.Cells[1])} = {row.Cells[0]}: {row.Cells[2]}";

    /// <summary>The reasons with which any call may be refused.</summary>
    public IEnumerable<string> GeneralReasons => RowsOf(General).Select(row => Plain(row.Cells[0]));

    /// <summary>Reads the page of this checkout.</summary>
    public static ApiPage Read() => new(File.ReadLines(RepositoryRoot.PathOf("docs", "protocol", "api.md")));

    // Without a table's heading and the line below it.
    private IEnumerable<(string Section, string Heading, string[] Cells)> RowsOf(string section) =>
        _rows.Where(row => string.Equals(row.Section, section, StringComparison.Ordinal) && row.Cells[0] is not ("---" or "call" or "no." or "reason"));

    private static string Plain(string cell) => cell.Replace("`", "", StringComparison.Ordinal);

    private static string[] Quoted(string cell) => [.. cell.Split('`').Where((_, at) => at % 2 == 1)];
}
