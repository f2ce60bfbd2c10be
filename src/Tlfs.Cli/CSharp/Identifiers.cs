using Tlfs.Core;

namespace Tlfs.Cli.CSharp;

/// <summary>Turns names of a schema into names of C#.</summary>
internal static class Identifiers
{
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default", "delegate",
        "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in",
        "int", "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "operator", "out", "override", "params", "private",
        "protected", "public", "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string", "struct", "switch", "this",
        "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void", "volatile", "while",
    };

    private static readonly Dictionary<string, string> Irregular = new(StringComparer.Ordinal)
    {
        ["People"] = "Person",
        ["Children"] = "Child",
        ["Men"] = "Man",
        ["Women"] = "Woman",
        ["Mice"] = "Mouse",
        ["Feet"] = "Foot",
        ["Indices"] = "Index",
        ["News"] = "News",
        ["Series"] = "Series",
        ["Species"] = "Species",
        ["Movies"] = "Movie",
        ["Cookies"] = "Cookie",
        ["Statuses"] = "Status",
        ["Status"] = "Status",
    };

    /// <summary>The name of a type or property: <c>due_date</c> and <c>dueDate</c> become <c>DueDate</c>.</summary>
    public static string Pascal(string name)
    {
        var pascal = string.Concat(name.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
        return pascal.Length == 0 || char.IsAsciiDigit(pascal[0]) ? "Field" + pascal : pascal;
    }

    /// <summary>One of many: <c>Tasks</c> becomes <c>Task</c>; what has no plural that is known here stays.</summary>
    public static string Singular(string name)
    {
        foreach (var (many, one) in Irregular)
            if (name.EndsWith(many, StringComparison.Ordinal)) return name[..^many.Length] + one;
        if (name.Length > 4 && name.EndsWith("ies", StringComparison.Ordinal)) return name[..^3] + "y";
        if (Ends(name, "sses", "shes", "ches", "xes", "zzes")) return name[..^2];
        return name.Length > 2 && name[^1] == 's' && !Ends(name, "ss", "us", "is") ? name[..^1] : name;
    }

    /// <summary>A namespace as C# writes it, keywords escaped.</summary>
    /// <exception cref="TlfsException"><see cref="Reason.BadArgument"/> for what is no namespace.</exception>
    public static string Namespace(string text)
    {
        var parts = text.Split('.').Select(part => part.TrimStart('@')).ToArray();
        if (!parts.All(Core.Lenses.Names.IsValid))
            throw new TlfsException(Reason.BadArgument, "--namespace takes names of letters, digits and _ with dots between them, such as MyApp.Data");
        return string.Join('.', parts.Select(part => Keywords.Contains(part) ? "@" + part : part));
    }

    private static bool Ends(string name, params ReadOnlySpan<string> ends)
    {
        foreach (var end in ends)
            if (name.EndsWith(end, StringComparison.Ordinal)) return true;
        return false;
    }
}

/// <summary>Names of one scope: what is taken already gets a number.</summary>
internal sealed class NameScope(params IEnumerable<string> reserved)
{
    private readonly HashSet<string> _taken = new(reserved, StringComparer.Ordinal);

    /// <summary>The name, or the name with the lowest number from 2 that is free.</summary>
    public string Take(string name)
    {
        var free = name;
        for (var number = 2; !_taken.Add(free); number++) free = $"{name}{Running.Text.Number(number)}";
        return free;
    }
}
