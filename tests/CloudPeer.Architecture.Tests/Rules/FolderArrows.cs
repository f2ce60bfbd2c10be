using CloudPeer.Architecture.Tests.Sources;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace CloudPeer.Architecture.Tests.Rules;

/// <summary>Which folder of a project may use which other one. A folder is a namespace.</summary>
public static class FolderArrows
{
    /// <summary>Stands for: every folder of the project.</summary>
    private const string Everything = "*";

    /// <summary>Project, folder, and the folders that it may use.</summary>
    private static readonly Dictionary<string, Dictionary<string, string[]>> Allowed = new(StringComparer.Ordinal)
    {
        ["Tlfs.Core"] = new(StringComparer.Ordinal)
        {
            ["Ids"] = [],
            ["Encoding"] = ["Ids"],
            ["Paths"] = ["Ids", "Encoding"],
            ["Crypto"] = ["Ids", "Encoding"],
            ["Radix"] = ["Ids", "Encoding", "Crypto"],
            ["Lenses"] = ["Ids", "Encoding", "Paths", "Crypto"],
            ["Schema"] = ["Ids", "Encoding", "Paths", "Crypto", "Lenses"],
            ["Policy"] = ["Ids", "Encoding", "Crypto"],
            ["Crdt"] = ["Ids", "Encoding", "Paths", "Crypto", "Radix", "Schema", "Lenses"],
            ["Sealing"] = ["Ids", "Encoding", "Crypto", "Policy", "Crdt", "Paths", "Schema", "Lenses"],
            ["Documents"] = [Everything],
        },
        ["CloudPeer.Sync"] = new(StringComparer.Ordinal)
        {
            ["Sessions"] = [],
            ["Log"] = [],
            ["Relay"] = ["Log", "Sessions"],
            ["Wire"] = ["Log", "Relay", "Sessions"],
            ["Client"] = ["Log", "Wire", "Relay", "Sessions"],
        },
        ["CloudPeer.Api"] = new(StringComparer.Ordinal)
        {
            ["Hosting"] = [Everything],
            ["Data"] = [Everything],
            ["Operations"] = [Everything],
            ["Sessions"] = ["Hosting"],
            ["Discovery"] = ["Hosting"],
            ["Accounts"] = ["Hosting", "Data"],
            ["Keys"] = ["Hosting", "Data", "Accounts"],
            ["Inbox"] = ["Hosting", "Data", "Accounts"],
            ["Relay"] = ["Hosting", "Data", "Accounts", "Keys"],
            ["Billing"] = ["Hosting", "Data", "Accounts"],
            ["Referrals"] = ["Hosting", "Data", "Accounts", "Billing"],
            ["Apps"] = ["Hosting", "Data", "Accounts"],
            ["Portal"] = [Everything],
        },
    };

    /// <summary>Uses of a folder that the table does not allow, and folders that it does not know.</summary>
    public static IEnumerable<string> Forbidden(IEnumerable<SourceText> code)
    {
        foreach (var project in code.Where(file => file.Area is "src").GroupBy(file => file.Project, StringComparer.Ordinal))
        {
            if (!Allowed.TryGetValue(project.Key, out var table))
                continue;

            var declared = new DeclaredTypes(project);
            foreach (var violation in project.SelectMany(file => Check(file, table, declared)))
                yield return violation;
        }
    }

    /// <summary>Files whose namespace is not their folder, so that the arrows between folders would not see them.</summary>
    public static IEnumerable<string> StrayNamespaces(IEnumerable<SourceText> code) =>
        from file in code
        where file.Area is "src"
        from declaration in file.Root.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
        let name = declaration.Name.ToString()
        where !string.Equals(name, Namespace(file), StringComparison.Ordinal)
        select $"{file.At(declaration)}: namespace {name} should be {Namespace(file)}, the file's folder";

    private static string Namespace(SourceText file) => string.Join('.', file.Path.Split('/')[1..^1]);

    private static IEnumerable<string> Check(SourceText file, Dictionary<string, string[]> table, DeclaredTypes declared)
    {
        if (file.Folder.Length > 0 && !table.ContainsKey(file.Folder))
            return [$"{file.Path}: {file.Folder} has no place in the table of {nameof(FolderArrows)}: decide what it may use"];

        // A program's entry point puts everything together; any other file outside the folders is below all of them.
        var allowed = file.Folder.Length > 0 ? table[file.Folder] : file.Path.EndsWith("/Program.cs", StringComparison.Ordinal) ? [Everything] : [];
        if (allowed.Contains(Everything, StringComparer.Ordinal))
            return [];

        return from use in NamesUsed.In(file)
               let folder = declared.FolderOf(use.Name)
               where folder is not null && !string.Equals(folder, file.Folder, StringComparison.Ordinal) && !allowed.Contains(folder, StringComparer.Ordinal)
               select $"{file.At(use.Node)}: {file.Project}/{file.Folder} must not use {folder} ({use.Name})";
    }

    /// <summary>The folders of one project and the types in them, to tell <c>Schema.Kind</c> the type from <c>Schema.Kind</c> the property.</summary>
    private sealed class DeclaredTypes(IGrouping<string, SourceText> project)
    {
        private readonly HashSet<string> _folders = [.. project.Select(file => file.Folder).Where(folder => folder.Length > 0)];

        private readonly HashSet<(string Folder, string Type)> _types =
        [
            .. from file in project
               from type in file.Root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
               select (file.Folder, type.Identifier.ValueText),
        ];

        /// <summary>The folder that a name leads into, or null.</summary>
        public string? FolderOf(string name)
        {
            var prefix = project.Key + ".";
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                var folder = name[prefix.Length..].Split('.')[0];
                return _folders.Contains(folder) ? folder : null;
            }

            // Inside the project's namespace "Folder.Type" needs no using directive.
            var parts = name.Split('.');
            return parts.Length > 1 && _types.Contains((parts[0], parts[1])) ? parts[0] : null;
        }
    }
}
