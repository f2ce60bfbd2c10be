using BenchmarkDotNet.Attributes;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench;

/// <summary>
/// Sealing and opening one delta, against the signature and encryption that no such scheme can do without: the baseline signs 32 bytes and
/// encrypts the padded plaintext, nothing else.
/// </summary>
[MemoryDiagnoser]
public class SealingBenchmarks : IDisposable
{
    private readonly SigningKey _device = SigningKey.Generate(SystemEntropy.Instance);
    private readonly SecretKey _key = SecretKey.Random(SystemEntropy.Instance);
    private Draft _draft = null!;
    private PartContent _content = null!;
    private byte[] _padded = [];
    private byte[] _sealed = [];
    private byte[] _bytes = [];
    private byte[] _signature = [];

    [Params(1, 10, 100)]
    public int Operations { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _draft = new Draft(new DocId(_device.Public.Value), 2, new EnvelopeId(_device.Public.Value), [], [new EnvelopeId(_device.Public.Value)], null);
        var path = Tlfs.Core.Paths.StoragePath.Of([Tlfs.Core.Paths.Segment.Of(new FieldId(1)), Tlfs.Core.Paths.Segment.Of(new Uid(2)), Tlfs.Core.Paths.Segment.Of(new FieldId(3))]);
        ReadOnlyMemory<byte> operation = new Tlfs.Core.Crdt.Put(path, Tlfs.Core.Crdt.Value.Of("sixteen letters!")).Encode();
        _content = new PartContent(Material.Schema.List.Hash, [.. Enumerable.Repeat(operation, Operations)]);
        _padded = new byte[Padding.PaddedLength(44 + (operation.Length * Operations))];
        _sealed = Aead.Seal(SystemEntropy.Instance, _key, _padded, default);
        _signature = _device.Sign(Label.EnvSig, _device.Public.Value);
        _bytes = Seal().Bytes.ToArray();
    }

    [Benchmark(Baseline = true)]
    public byte[] SignAndEncryptOnly()
    {
        _device.Sign(Label.EnvSig, _device.Public.Value);
        return Aead.Seal(SystemEntropy.Instance, _key, _padded, default);
    }

    [Benchmark]
    public Envelope Seal() => _draft.SealDelta(_device, SystemEntropy.Instance, default, _key, _content);

    [Benchmark]
    public bool VerifyAndDecryptOnly() =>
        SigningKey.Verify(_device.Public, Label.EnvSig, _device.Public.Value, _signature) | Aead.TryOpen(_key, _sealed, default, out _);

    [Benchmark]
    public bool Open() =>
        Envelope.TryDecode(_bytes, out var envelope, out _) && envelope.VerifySignature() && PartContent.TryOpen(envelope, 0, _key, out _, out _);

    [GlobalCleanup]
    public void Dispose()
    {
        _device.Dispose();
        _key.Dispose();
        GC.SuppressFinalize(this);
    }
}
