using System.Text;
using CloudPeer.TestKit;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Schema.Laws;

public sealed class CompilerFuzz
{
    private static readonly string[] Words =
    [
        "x", "a", "b", "0.1.0", "0.2.0", "{", "}", "[]", "{}", ".", ":", "<", ">", "(", ")", " ", "\n", "/*", "*/", "Struct", "Array", "EWFlag", "Table<u64>", "MVReg<String>",
        ".a", ".b", ".a.b", ".{}", ".[]", ".remove()", ".rename(b)", ".hoist()", ".plunge(b)", ": Struct", ": Array", "\uD800", "\0", "😀", "f64",
    ];

    [Fact]
    public void Mutated_sources_compile_or_are_refused()
    {
        var entropy = new SeededEntropy(1);
        string[] good = [Schemas.TourSource, Schemas.OldSource, Schemas.EverythingSource];
        Count(Enumerable.Range(0, 60_000).Select(_ => Mutate(entropy, good[entropy.Below(good.Length)])), atLeast: 100);
    }

    [Fact]
    public void Random_words_compile_or_are_refused()
    {
        var entropy = new SeededEntropy(2);
        Count(Enumerable.Range(0, 100_000).Select(_ =>
        {
            var rules = Enumerable.Range(0, entropy.Below(12)).Select(_ => Words[entropy.Below(Words.Length)]);
            return entropy.Below(4) == 0 ? string.Concat(rules) : "x{0.1.0{.:Struct " + string.Concat(rules) + "}}";
        }), atLeast: 100);
    }

    private static void Count(IEnumerable<string> sources, int atLeast)
    {
        var compiled = 0;
        foreach (var source in sources)
        {
            if (TlfsPackage.TryCompile(source, "f", out var package, out var error))
            {
                compiled++;
                Assert.NotEmpty(package.Schemas);
            }
            else
            {
                Assert.True(error is { Line: > 0, Column: > 0, Text.Length: > 0 });
            }
        }

        Assert.True(compiled >= atLeast, $"only {compiled} compiled");
    }

    private static string Mutate(SeededEntropy entropy, string source)
    {
        var text = new StringBuilder(source);
        for (var changes = 1 + entropy.Below(2); changes > 0; changes--)
        {
            var at = entropy.Below(text.Length);
            switch (entropy.Below(4))
            {
                case 0: text.Remove(at, 1); break;
                case 1: text.Insert(at, Words[entropy.Below(Words.Length)]); break;
                case 2: text[at] = (char)entropy.Below(128); break;
                default: text.Length = at + 1; break;
            }
        }

        return text.ToString();
    }
}
