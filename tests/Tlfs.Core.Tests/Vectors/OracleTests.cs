using System.Diagnostics;
using System.Text.Json;
using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Vectors;

/// <summary>The program that printed the known answers of encoding.md §7, run again and compared with the product, where it and Python are present.</summary>
public sealed class OracleTests
{
    [Fact]
    public void The_product_computes_what_the_oracle_prints()
    {
        if (SharedMaterial.TryFind("reference/kat.py") is not { } program || Run(program) is not { } printed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine("the oracle or Python is not here, nothing compared");
            return;
        }

        using var document = JsonDocument.Parse(printed);
        var oracle = document.RootElement;
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        var core = Hashing.Hash(Label.Core, "test"u8);
        using var k = new SecretKey(key);
        using var part = Hashing.Derive(Label.Part, key, [.. core.ToArray(), 0, 0]);
        using var leaf = Hashing.Derive(Label.Leaf, part.Bytes, default);
        var salt = new byte[16];
        Hashing.LeafSalt(leaf, 0, salt);
        ReadOnlyMemory<byte>[] operations = ["op0"u8.ToArray(), "op1"u8.ToArray(), "op2"u8.ToArray()];
        var envelope = Hashing.Hash(Label.Env, "header"u8);
        using var signing = new SigningKey(Enumerable.Repeat((byte)1, 32).ToArray());
        var expected = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["K"] = Hex(key),
            ["H_core('test')"] = core.ToString(),
            ["KeyCommit(K)=H_key-commit(K)"] = Hashing.Commit(k).ToString(),
            ["K_part=KDF_part(K,core||0000)"] = Hex(part.Bytes),
            ["leafKey=KDF_leaf(K_part,empty)"] = Hex(leaf.Bytes),
            ["leafSalt0"] = Hex(salt),
            ["opsRoot(op0,op1,op2)"] = OperationTree.Root(part, operations).ToString(),
            ["opsRoot(op0)"] = OperationTree.Root(part, operations[..1]).ToString(),
            ["EnvelopeId=H_env('header')"] = envelope.ToString(),
            ["Ed25519(seed=01*32) over 'cloudpeer/v1/env-sig\\0'||EnvelopeId"] = Hex(signing.Sign(Label.EnvSig, envelope)),
        };
        var compared = 0;
        foreach (var value in oracle.EnumerateObject())
        {
            if (value.Name is "pad") continue;
            Assert.Equal(expected[value.Name], value.Value.GetString());
            compared++;
        }

        foreach (var length in oracle.GetProperty("pad").EnumerateObject())
        {
            Assert.Equal(length.Value.GetInt32(), Padding.PaddedLength(int.Parse(length.Name, System.Globalization.CultureInfo.InvariantCulture)));
            compared++;
        }

        // Without the Python package for signatures the oracle leaves that value out.
        Assert.InRange(compared, 18, 19);
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    // The first value that the program prints, or null when there is no Python.
    private static string? Run(string program)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("python3", [program]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            var printed = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return printed[..(printed.IndexOf("\n}", StringComparison.Ordinal) + 2)];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
