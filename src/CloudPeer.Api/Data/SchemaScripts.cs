using System.Globalization;
using System.Reflection;

namespace CloudPeer.Api.Data;

/// <summary>The numbered SQL scripts that make one component's tables in one database, from version 1 up without a gap.</summary>
/// <param name="Component">The component's name in the table of versions, e.g. <c>relay</c>.</param>
/// <param name="Scripts">Script 1 first.</param>
internal sealed record SchemaScripts(string Component, IReadOnlyList<string> Scripts)
{
    /// <summary>The version that these scripts lead to.</summary>
    public int Version => Scripts.Count;

    /// <summary>Reads the scripts that are embedded in this assembly below a folder.</summary>
    /// <param name="component">The component's name.</param>
    /// <param name="folder">For example <c>Relay/Store/Scripts/Sqlite</c>, which holds <c>0001_log.sql</c>.</param>
    public static SchemaScripts Embedded(string component, string folder)
    {
        var assembly = typeof(SchemaScripts).Assembly;
        var prefix = $"{assembly.GetName().Name}.{folder.Replace('/', '.')}.";
        var names = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(".sql", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        for (var i = 0; i < names.Count; i++)
        {
            var number = names[i][prefix.Length..].Split('_')[0];
            if (int.Parse(number, CultureInfo.InvariantCulture) != i + 1) throw new InvalidOperationException($"{names[i]} should have the number {i + 1}.");
        }

        return names.Count > 0
            ? new(component, [.. names.Select(name => Read(assembly, name))])
            : throw new InvalidOperationException($"No script is embedded below {folder}.");
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
