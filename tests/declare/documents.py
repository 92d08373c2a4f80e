"""YAML texts to read: small documents of the usual shape, as many as wanted, always the same."""


def document(number: int) -> str:
    """One declared instance, about 420 bytes, with every sort of scalar."""
    return f"""\
apiVersion: houmao/v1alpha1
kind: Instance
metadata:
  name: agent-{number}
  labels: {{team: red, tier: "t{number % 7}"}}
  annotations:
    note: "member {number} of the fleet"
spec:
  specialistRef: coder-{number % 10}
  state: Running
  workdir: ./work/agent-{number}
  env:
    LEVEL: debug
    RETRIES: {number % 5}
    RATIO: 0.5
  mailbox: false
  skills: [review, test, write-docs]
  prompt: |
    You are agent {number}.
    Write small changes and test them.
"""


def documents(count: int) -> str:
    """`count` of them in one text."""
    return "---\n".join(document(number) for number in range(count))
