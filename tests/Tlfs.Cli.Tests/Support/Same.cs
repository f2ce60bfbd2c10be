using System.Text.Json;
using Xunit;

namespace Tlfs.Cli.Tests.Support;

/// <summary>Compares texts, letter by letter.</summary>
public static class Same
{
    /// <summary>Both sequences hold the same texts in the same order.</summary>
    public static void Texts(IEnumerable<string?> expected, IEnumerable<string?> actual) => Assert.Equal(expected, actual, StringComparer.Ordinal);

    /// <summary>An object has exactly these members, in this order.</summary>
    public static void Members(JsonElement json, params string[] names) => Texts(names, json.EnumerateObject().Select(member => member.Name));

    /// <summary>An object begins with these members, in this order; more may follow.</summary>
    public static void FirstMembers(JsonElement json, params string[] names) => Texts(names, json.EnumerateObject().Select(member => member.Name).Take(names.Length));
}
