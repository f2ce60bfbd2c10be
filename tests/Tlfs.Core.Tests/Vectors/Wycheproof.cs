using System.Globalization;
using System.Text.Json;
using CloudPeer.TestKit;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>
/// A file of Wycheproof's test vectors, kept beside the checkout (Apache-2.0; docs/security/vectors.md has the counts). Without the file a test passes and says so.
/// </summary>
internal static class Wycheproof
{
    /// <summary>
    /// Runs every case of a file. <paramref name="agrees"/> says whether the library did what the case asks for; those where it did not must be
    /// exactly <paramref name="differing"/>, the tcIds whose reason the caller states.
    /// </summary>
    public static void RunAll(string file, int cases, IReadOnlyCollection<int> differing, Func<JsonElement, JsonElement, bool> agrees)
    {
        var output = TestContext.Current.TestOutputHelper;
        if (SharedMaterial.TryFind("vectors/" + file) is not { } path)
        {
            output?.WriteLine($"{file}: not beside this checkout, nothing run");
            return;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        int run = 0, passed = 0;
        var others = new List<int>();
        foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                run++;
                if (agrees(group, test)) passed++;
                else others.Add(test.GetProperty("tcId").GetInt32());
            }
        }

        output?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file}: {run} run, {passed} passed, {others.Count} deliberately differing"));
        Assert.Equal(document.RootElement.GetProperty("numberOfTests").GetInt32(), run);
        Assert.Equal(cases, run);
        Assert.Equal(differing.Order(), others.Order());
        Assert.Equal(run, passed + differing.Count);
    }

    public static byte[] Bytes(this JsonElement test, string name) => Convert.FromHexString(test.GetProperty(name).GetString()!);

    public static string Result(this JsonElement test) => test.GetProperty("result").GetString()!;

    public static bool IsValid(this JsonElement test) => test.Result() is "valid";

    public static bool Has(this JsonElement test, string flag) =>
        test.GetProperty("flags").EnumerateArray().Any(given => string.Equals(given.GetString(), flag, StringComparison.Ordinal));
}
